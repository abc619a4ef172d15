"""The demo's mail, read in the browser."""


def inbox(request, *a, **k):
    return None


def message(request, *a, **k):
    return None


def download(request, *a, **k):
    return None
