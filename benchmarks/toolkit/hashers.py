"""A hasher for secrets that are random anyway."""

import hashlib
import hmac
from typing import Any

from django.contrib.auth.hashers import BasePasswordHasher


class OnceSHA256(BasePasswordHasher):
    algorithm = "once_sha256"

    def encode(self, password: str, salt: str) -> str:
        digest = hashlib.sha256((salt + password).encode()).hexdigest()
        return f"{self.algorithm}${salt}${digest}"

    def decode(self, encoded: str) -> dict[str, Any]:
        algorithm, salt, digest = encoded.split("$")
        return {"algorithm": algorithm, "salt": salt, "hash": digest}

    def verify(self, password: str, encoded: str) -> bool:
        return hmac.compare_digest(self.encode(password, self.decode(encoded)["salt"]), encoded)

    def safe_summary(self, encoded: str) -> dict[Any, Any]:
        return self.decode(encoded)
