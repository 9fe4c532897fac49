"""Declarations for tests."""


def one(more="", plugins=None):
    """Declare one detector, with more settings."""
    text = f"detectors:\n- name: det\n  prefix: 'none:'\n  {more}\n"
    return text if plugins is None else f"{text}  plugins: {plugins}\n"
