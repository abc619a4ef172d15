from django.http import HttpResponse


def invitation(request, *a, **k):
    return HttpResponse()


def choose(request, *a, **k):
    return HttpResponse()


def people(request, *a, **k):
    return HttpResponse()


def invite(request, *a, **k):
    return HttpResponse()


def member(request, *a, **k):
    return HttpResponse()


def resend_invitation(request, *a, **k):
    return HttpResponse()


def withdraw_invitation(request, *a, **k):
    return HttpResponse()


def activity(request, *a, **k):
    return HttpResponse()
