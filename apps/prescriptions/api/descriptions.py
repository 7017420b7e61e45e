"""What the OpenAPI file says of the values of medicines (see `apps.rest.api.descriptions`)."""

DESCRIPTIONS = {
    "rxcui": "RxNorm's number of the drug; null or empty if it has none here",
    "generic_name": "The ingredients by their generic names, separated by a slash",
    "brand_names": "The brand names",
    "strength": "The strength of each ingredient as text, such as `10 mg` or `250 mg/5 mL`",
    "Drug.form": "The dose form, such as `tablet`",
    "Drug.route": "How it is usually given, such as `oral`",
    "Drug.unit": "What it is counted in when it is dispensed and in stock, such as `tablet` or `mL`",
    "Drug.name": "The name as it is shown, with capitals where look-alike names differ: `hydrOXYzine 25 mg tablet`",
    "DrugScheduleOrBlank": "The schedule of a controlled substance in the United States; empty for other drugs.",
    "use": "What it is for, in plain words",
    "is_offered": "Whether it can be prescribed",
    "Drug.ingredients": "The ingredients, in order of their names",
    "Drug.classes": "The classes of its ingredients",
    "Ingredient.name": "The generic name in small letters",
    "amount": "How much of it is in `per` of the product; null if it is not known",
    "amount_unit": "The unit of `amount`",
    "per": "In how much of the product; null if it is not known",
    "per_unit": "The unit of `per`",
}
