"""Floor 6: what people read. Nothing leaves except through the disclosure gate."""
