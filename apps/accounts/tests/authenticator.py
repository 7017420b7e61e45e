"""An authenticator app for tests."""

from base64 import b32decode

from django_otp.oath import TOTP

from apps.accounts import services
from apps.accounts.models import User

SEED = "JBSWY3DPEHPK3PXP"


def code(seed: str = SEED, *, steps: int = 0) -> str:
    """What the app shows now, or so many half minutes later."""
    return f"{TOTP(b32decode(seed), drift=steps).token():06d}"


def enable_totp(user: User, seed: str = SEED) -> User:
    """Give the person an authenticator."""
    services.install_totp(by=user, user_id=user.pk, seed=seed)
    user.refresh_from_db()
    return user
