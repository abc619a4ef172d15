"""Reauthentication by an emailed code, for people who have neither password nor second factor."""

from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.forms import ConfirmLoginCodeForm
from allauth.account.internal.flows.code_verification import AbstractCodeVerificationProcess
from allauth.account.internal.flows.login import record_authentication
from allauth.account.views import BaseReauthenticateView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator

STATE = "reauthentication_code"  # in the session, which is encrypted


class CodeProcess(AbstractCodeVerificationProcess):
    """A code on its way to the person who is signed in; good for as long and as many tries as one that signs in."""

    def __init__(self, request: HttpRequest, state: dict[str, Any]) -> None:
        super().__init__(
            max_attempts=app_settings.LOGIN_BY_CODE_MAX_ATTEMPTS,
            timeout=app_settings.LOGIN_BY_CODE_TIMEOUT,
            state=state,
            user=request.user,
        )
        self.request = request

    @classmethod
    def begin(cls, request: HttpRequest) -> None:
        email = request.user.email  # type: ignore[union-attr]
        process = cls(request, cls.initial_state(request.user, email=email))
        process.send()
        process.persist()

    @classmethod
    def under_way(cls, request: HttpRequest) -> "CodeProcess | None":
        state = request.session.get(STATE)
        if not state or state["user_id"] != cls.initial_state(request.user)["user_id"]:
            return None
        found: CodeProcess | None = cls(request, state).abort_if_invalid()
        return found

    def persist(self) -> None:
        self.request.session[STATE] = self.state

    def send(self) -> None:
        adapter = get_adapter()
        self.state["code"] = adapter.generate_login_code()
        context = {"request": self.request, "code": self.code}
        adapter.send_mail("account/email/login_code", self.state["email"], context)

    def abort(self) -> None:
        self.request.session.pop(STATE, None)


@method_decorator(login_required, name="dispatch")
class ReauthenticateByCodeView(BaseReauthenticateView):
    """Mail a code when asked to, then take it."""

    form_class: type[Form] = ConfirmLoginCodeForm
    template_name = "account/reauthenticate_by_code.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_address:  # type: ignore[union-attr]  # nobody would read the code
            raise Http404
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.process = CodeProcess.under_way(request)
        if request.POST.get("action") == "send" or self.process is None:
            CodeProcess.begin(request)
            return redirect(self.passthrough_next_url(request.path))
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response

    def get_form_kwargs(self) -> dict[str, Any]:
        process = CodeProcess.under_way(self.request)
        return {**super().get_form_kwargs(), "code": process.code if process else ""}

    def form_valid(self, form: Form) -> HttpResponse:
        record_authentication(
            self.request, self.request.user, method="code", email=self.request.user.email, reauthenticated=True
        )
        CodeProcess(self.request, {}).abort()
        response: HttpResponse = super().form_valid(form)
        return response

    def form_invalid(self, form: Form) -> HttpResponse:
        if self.process is not None and self.process.record_invalid_attempt():
            response: HttpResponse = super().form_invalid(form)
            return response
        messages.error(self.request, get_adapter().error_messages["too_many_login_attempts"])
        return redirect(self.passthrough_next_url(self.request.path))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "process": CodeProcess.under_way(self.request)}


by_code = ReauthenticateByCodeView.as_view()
