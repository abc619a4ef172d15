"""Token hooks: servers of the operator that are asked for claims before a token is issued."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from clients.models.apis import Api


class HookFailure(models.TextChoices):
    """What happens to a token when the hook does not answer as it should."""

    OPEN = "open", "Issue the token without its claims"
    CLOSED = "closed", "Refuse the token"


class TokenHook(models.Model):
    """The one server that is asked for claims of an API's tokens."""

    api = models.OneToOneField(Api, models.CASCADE, related_name="token_hook")
    url = models.CharField(
        "address",
        max_length=500,
        help_text="https, on a public domain. We send session and request, signed, and take the answer’s claims.",
    )
    timeout = models.PositiveSmallIntegerField(
        "time limit",
        default=2000,
        validators=[MinValueValidator(100), MaxValueValidator(2000)],
        help_text="In milliseconds, 2,000 at most.",
    )
    failure = models.CharField("when it fails", max_length=6, choices=HookFailure, default=HookFailure.OPEN)
    cache_seconds = models.PositiveIntegerField(
        "answers are kept",
        default=60,
        validators=[MinValueValidator(0), MaxValueValidator(86_400)],
        help_text="In seconds, for the same question; 0 to ask for each token.",
    )

    class Meta:
        verbose_name = "token hook"

    def __str__(self) -> str:
        return self.url
