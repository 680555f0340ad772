"""Floor 4: layers to one row per H3 cell. The kernels that the engine runs."""
