"""A dose in the units of the product and in amounts of its ingredients. Exact: nothing is rounded."""

from collections.abc import Mapping
from decimal import Decimal

from apps.prescriptions.dosing.amounts import write
from apps.prescriptions.dosing.values import Amount, Product, Regimen

_IN_MCG: Mapping[str, int] = {"mcg": 1, "mg": 1_000, "g": 1_000_000}
_IMPLAUSIBLE = Decimal("0.1")  # of what a measure of the product contains: less is a slip of the unit
_USUAL_VOLUMES = (Decimal("0.5"), Decimal(100))  # mL of one dose by mouth


def converted(amount: Amount, unit: str) -> Amount | None:
    """Returns the amount in another unit of mass; None where one is not a mass and the units differ."""
    if amount.unit == unit:
        return amount
    if amount.unit not in _IN_MCG or unit not in _IN_MCG:
        return None
    return Amount(amount.value * _IN_MCG[amount.unit] / _IN_MCG[unit], unit)


def in_product_units(amount: Amount, product: Product) -> Amount | None:
    """Returns how much of the product a dose is: 1,000 mg of 500 mg tablets are 2 tablets. None where it cannot be known.

    A mass of a product with several ingredients is not known: it may mean any of them.
    """
    if amount.unit == product.unit:
        return amount
    if len(product.strengths) != 1:
        return _of_the_form(amount, product)
    strength = product.strengths[0]
    if amount.unit == strength.per.unit:
        return Amount(amount.value, product.unit) if strength.per.unit == product.unit else None
    mass = converted(amount, strength.amount.unit)
    if mass is None or strength.per.unit != product.unit:
        return None
    return Amount(mass.value / strength.amount.value * strength.per.value, product.unit)


def _of_the_form(amount: Amount, product: Product) -> Amount | None:
    return Amount(amount.value, product.unit) if amount.unit in {one.per.unit for one in product.strengths} else None


def of_ingredients(units: Amount, product: Product) -> dict[str, Amount]:
    """Returns what so much of the product contains, by ingredient; without those whose strength is not known."""
    return {
        one.ingredient: Amount(units.value / one.per.value * one.amount.value, one.amount.unit)
        for one in product.strengths
        if one.per.unit == units.unit
    }


def per_dose(regimen: Regimen, product: Product) -> dict[str, Amount]:
    """Returns the most of each ingredient in one dose, by the upper end of a range; empty where it cannot be known."""
    if regimen.dose is None or regimen.as_directed:
        return {}
    units = in_product_units(regimen.dose.high, product)
    return of_ingredients(units, product) if units else {}


def per_day(regimen: Regimen, product: Product) -> dict[str, Amount]:
    """Returns the most of each ingredient in a day, on average; empty where dose or frequency cannot be known."""
    doses = regimen.frequency.per_day if regimen.frequency else None
    if doses is None:
        return {}
    return {name: Amount(one.value * doses, one.unit) for name, one in per_dose(regimen, product).items()}


def likely_dose(amount: Amount, product: Product) -> str:
    """Returns the likely intended dose of a liquid for which milligrams were written and millilitres meant: `5 mL (250 mg)`.

    Empty unless the dose is less than a tenth of what a measure of the product contains, and its number is a usual volume.
    """
    if len(product.strengths) != 1 or product.strengths[0].per.unit != "mL":
        return ""
    strength = product.strengths[0]
    mass = converted(amount, strength.amount.unit)
    if mass is None or mass.value >= strength.amount.value * _IMPLAUSIBLE:
        return ""
    low, high = _USUAL_VOLUMES
    if not low <= amount.value <= high:
        return ""
    meant = of_ingredients(Amount(amount.value, "mL"), product)[strength.ingredient]
    return f"{write(Amount(amount.value, 'mL'))} ({write(meant)})"
