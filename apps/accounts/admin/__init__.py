"""The admin pages for users who sign in: staff, doctors, sessions, API keys; sign-in and account security."""

from apps.accounts.admin import api_keys, doctors, sessions, staff
from apps.accounts.admin.password import ForgotPasswordView, OwnPasswordView, ResetPasswordView
from apps.accounts.admin.reauthentication import ReauthenticationPage
from apps.accounts.admin.second_factor import SecondFactorView
from apps.accounts.admin.sign_in import CodeView, EnrolView, SignInView
from apps.rest.admin_site import SitePage, site

site.password_view = OwnPasswordView
site.reauthentication = ReauthenticationPage(site)
site.sign_in_view = SignInView
site.pages += (
    SitePage(route="login/code/", name="login_code", view=CodeView, is_open=True),
    SitePage(route="login/second-factor/", name="login_enrol", view=EnrolView, is_open=True),
    SitePage(route="password-forgot/", name="password_forgot", view=ForgotPasswordView, is_open=True),
    SitePage(route="password-reset/", name="password_reset", view=ResetPasswordView, is_open=True),
    SitePage(route="second-factor/", name="second_factor", view=SecondFactorView),
)

__all__ = ["api_keys", "doctors", "sessions", "staff"]
