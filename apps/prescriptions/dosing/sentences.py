"""The one sentence of a line, generated from its structure, that page, label, PDF and API show."""

from collections.abc import Mapping

from apps.prescriptions.dosing import conversions
from apps.prescriptions.dosing.amounts import is_counted, write, write_dose, write_number
from apps.prescriptions.dosing.timing import write_frequency
from apps.prescriptions.dosing.values import Amount, Dose, Product, Regimen

_ROUTES: Mapping[str, tuple[str, str]] = {  # what the patient does, and where
    "oral": ("Take", "by mouth"),
    "sublingual": ("Place", "under the tongue"),
    "buccal": ("Place", "inside the cheek"),
    "topical": ("Apply", "to the skin"),
    "transdermal": ("Apply", "to the skin"),
    "inhalation": ("Inhale", ""),
    "nasal": ("Use", "in the nose"),
    "ophthalmic": ("Put", "in the eye"),
    "otic": ("Put", "in the ear"),
    "subcutaneous": ("Inject", "under the skin"),
    "intramuscular": ("Inject", "into a muscle"),
    "intravenous": ("Give", "into a vein"),
    "rectal": ("Insert", "into the rectum"),
    "vaginal": ("Insert", "into the vagina"),
}
ROUTES = tuple(_ROUTES)


def sentence(regimen: Regimen, product: Product | None, instructions: str = "") -> str:
    """Returns it: `Take 2 tablets (1,000 mg) by mouth 3 times a day for 7 days.`, and the instructions behind it, in full.

    What the structure does not say is left out; a line that is used as directed has its instructions alone.
    """
    more = _as_sentence(instructions)
    if regimen.as_directed:
        return " ".join(filter(None, ("Use as directed.", more)))
    parts = _parts(regimen, product)
    return " ".join(filter(None, (f"{' '.join(parts)}." if parts else "", more)))


def _parts(regimen: Regimen, product: Product | None) -> list[str]:
    dose = dose_text(regimen.dose, product) if regimen.dose else ""
    often = write_frequency(regimen.frequency) if regimen.frequency else ""
    if not dose and not often:
        return []
    verb, where = _ROUTES.get(regimen.route or (product.route if product else ""), ("Use", ""))
    days = f"for {regimen.days} day{'' if regimen.days == 1 else 's'}" if regimen.days else ""
    return [part for part in (verb, dose, where, often, days) if part]


def dose_text(dose: Dose, product: Product | None) -> str:
    """Returns the dose in the units of the product and, in brackets, in mass: `2 tablets (1,000 mg)`, `5 mL (250 mg)`."""
    if product is None:
        return write_dose(dose)
    low, high = (conversions.in_product_units(one, product) for one in (dose.low, dose.high))
    if low is None or high is None or not _is_measurable(high):
        return write_dose(dose)
    contents = conversions.of_ingredients(high, product)
    if len(product.strengths) != 1 or not contents:
        return write_dose(Dose(low, high))
    least = conversions.of_ingredients(low, product)
    masses = _range_of(*least.values(), *contents.values())
    return f"{write_dose(Dose(low, high))} ({masses})"


def _range_of(low: Amount, high: Amount) -> str:
    return write(high) if low == high else f"{write_number(low.value)} to {write(high)}"


def _is_measurable(units: Amount) -> bool:
    """Returns whether a patient can measure it: quarters of counted units, hundredths of measured ones."""
    parts = 4 if is_counted(units.unit) else 100
    return units.value * parts % 1 == 0


def _as_sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text[-1] in ".!?" else f"{text}."
