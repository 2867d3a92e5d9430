"""What people touch: panels of ipywidgets, over what they share (``state``).

Nothing here sends a request or asks the ledger by itself.
"""
