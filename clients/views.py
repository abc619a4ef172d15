from django.http import HttpResponse


def index(request, *a, **k):
    return HttpResponse()


def create(request, *a, **k):
    return HttpResponse()


def detail(request, *a, **k):
    return HttpResponse()


def settings(request, *a, **k):
    return HttpResponse()


def activity(request, *a, **k):
    return HttpResponse()


def disable(request, *a, **k):
    return HttpResponse()


def enable(request, *a, **k):
    return HttpResponse()


def delete(request, *a, **k):
    return HttpResponse()


def secrets(request, *a, **k):
    return HttpResponse()


def add_secret(request, *a, **k):
    return HttpResponse()


def rotate(request, *a, **k):
    return HttpResponse()


def revoke(request, *a, **k):
    return HttpResponse()


def download(request, *a, **k):
    return HttpResponse()
