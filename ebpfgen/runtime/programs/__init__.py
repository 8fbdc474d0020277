"""Programs, before and after they are loaded: one class for each way to attach."""
