"""The workshop behind sample_aoi: nothing here describes a real place."""
