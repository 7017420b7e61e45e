"""Saves a section while the user fills it in, as a draft: it never completes the section. It replies to a script with JSON."""

from typing import Any, cast

from django.http import HttpRequest, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext

from apps.access.actor import Actor
from apps.common import clinic_times
from apps.common.errors import Forbidden, HimsError
from apps.consultations import services
from apps.consultations.rules import State
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.services import NewSave, StepChanged
from apps.desk.consultations import page_context
from apps.desk.consultations.step_forms import StepForm, add_errors
from apps.desk.drafts import services as drafts


def reply(request: HttpRequest, consultation: ConsultationDetails, form: StepForm) -> JsonResponse:
    """Saves what is valid. A refusal names the inputs; a colleague's save in the meantime is shown by *Save and go on*."""
    save = consultation.saves.get(form.step)
    if not form.is_valid():
        return JsonResponse({"errors": _errors(form), "text": gettext("Not saved")})
    if save is None and form.is_empty:
        return JsonResponse({})
    is_done = save is not None and save.state == State.COMPLETED
    new = NewSave(
        step=form.step,
        data=form.step_data(),
        completed=None if is_done else False,
        version=form.cleaned_data["version"],
    )
    by = cast("Actor", request.user)
    try:
        after = services.save_step(by=by, consultation_id=consultation.row.pk, save=new)
    except Forbidden:
        raise
    except StepChanged:
        text = gettext("Not saved: a colleague changed this section. Choose Save and go on to compare.")
        return JsonResponse({"text": text})
    except HimsError as refusal:
        add_errors(form, refusal)
        return JsonResponse({"errors": _errors(form), "text": gettext("Not saved")})
    drafts.discard_saved(user_id=cast("Any", by).pk, path=request.get_full_path(), sent=dict(request.POST.lists()))
    return JsonResponse(_saved(request, after, form))


def _saved(request: HttpRequest, after: ConsultationDetails, form: StepForm) -> dict[str, Any]:
    saved = after.saves[form.step]
    context = {
        **page_context.guidance(after, request.POST, form.step),
        **page_context.urgent(after, form.step, request.POST),
        **page_context.page(request, after.row),
        "may_save": True,
    }
    words = gettext("Saved %(time)s") if saved.state == State.COMPLETED else gettext("Draft saved %(time)s")
    return {
        "isSaved": True,
        "version": saved.version,
        "text": words % {"time": f"{clinic_times.local(saved.saved_at):%H:%M:%S}"},
        "alerts": render_to_string("desk/visit/_alerts.html", context).strip(),
    }


def _errors(form: StepForm) -> dict[str, list[str]]:
    """Returns the messages by the id of their input; those of no input under an empty one."""
    return {form[name].auto_id if name in form.fields else "": [str(one) for one in texts] for name, texts in form.errors.items()}
