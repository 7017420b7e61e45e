"""How much of a product a line needs, whether the quantity that was sent fits, and how long it lasts."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum

from apps.prescriptions.dosing.amounts import is_counted
from apps.prescriptions.dosing.conversions import in_product_units
from apps.prescriptions.dosing.values import Amount, Product, Regimen

FAR_OFF = 5  # from this factor on, up or down, the prescriber must acknowledge it
_WHOLE, _TENTH = Decimal(1), Decimal("0.1")
_NEAR = Decimal("0.1")  # a share: packs are not opened for the last tablets


class Fit(StrEnum):
    """Whether a quantity fits dose, frequency and duration."""

    FITS = "fits"
    UNKNOWN = "unknown"  # as needed, as directed, without a duration, or not convertible
    MISMATCH = "quantity_mismatch"
    FAR_OFF = "quantity_far_off"


@dataclass(frozen=True)
class QuantityCheck:
    """`expected` is in the product's unit; None if it is not known."""

    fit: Fit
    expected: Amount | None = None


def units_a_day(regimen: Regimen, product: Product) -> Decimal | None:
    """Returns the units of the product in a day, by the upper end of a range. None where they cannot be known."""
    if regimen.dose is None or regimen.frequency is None or regimen.as_directed:
        return None
    doses, units = regimen.frequency.per_day, in_product_units(regimen.dose.high, product)
    return None if doses is None or units is None else units.value * doses


def expected(regimen: Regimen, product: Product) -> Amount | None:
    """Returns the quantity that dose, frequency and duration need; None where one is missing, and for "as needed".

    Counted units are rounded up to whole ones, measured units (mL, g) to a tenth.
    """
    daily = units_a_day(regimen, product)
    if daily is None or regimen.days is None or regimen.frequency is None or regimen.frequency.as_needed:
        return None
    step = _WHOLE if is_counted(product.unit) else _TENTH
    needed = (daily * regimen.days / step).quantize(Decimal("0.000001")).to_integral_value(ROUND_CEILING) * step
    return Amount(needed, product.unit)


def check(quantity: Decimal, regimen: Regimen, product: Product) -> QuantityCheck:
    """Returns whether the quantity fits. A tenth more or less fits, because packs have sizes."""
    needed = expected(regimen, product)
    if needed is None:
        return QuantityCheck(Fit.UNKNOWN)
    if quantity >= needed.value * FAR_OFF or quantity * FAR_OFF <= needed.value:
        return QuantityCheck(Fit.FAR_OFF, needed)
    fits = abs(quantity - needed.value) <= needed.value * _NEAR
    return QuantityCheck(Fit.FITS if fits else Fit.MISMATCH, needed)


def days_supply(quantity: Decimal, regimen: Regimen, product: Product) -> Decimal | None:
    """Returns how many days the quantity lasts at the prescribed dose, to a hundredth. None where the dose does not tell."""
    daily = units_a_day(regimen, product)
    return (quantity / daily).quantize(Decimal("0.01")) if daily else None
