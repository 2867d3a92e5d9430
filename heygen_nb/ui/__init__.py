"""What people touch: panels of ipywidgets, one a file, over ``workflow.shared``.

Nothing here sends a request or asks the ledger by itself.
"""
