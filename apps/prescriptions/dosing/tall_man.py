"""Tall-man letters: capitals where two look-alike drug names differ, so that one is not taken for the other.

From the FDA's and ISMP's lists of look-alike drug names with recommended tall-man letters (2016 edition, as facts; an extract
that covers the catalogue's seed). A name without an entry is written as it is.
"""

import re

_NAMES = """
    acetaZOLAMIDE acetoHEXAMIDE ALPRAZolam aMILoride amLODIPine ARIPiprazole azaCITIDine azaTHIOprine buPROPion
    busPIRone carBAMazepine CARBOplatin ceFAZolin cefOXitin cefTAZidime cefTRIAXone chlordiazePOXIDE chlorproMAZINE
    chlorproPAMIDE CISplatin clomiPHENE clomiPRAMINE clonazePAM cloNIDine cycloSERINE cycloSPORINE DAUNOrubicin
    diazePAM dilTIAZem dimenhyDRINATE diphenhydrAMINE DOBUTamine DOPamine DOXOrubicin DULoxetine ePHEDrine
    EPINEPHrine fentaNYL FLUoxetine fluPHENAZine fluvoxaMINE glipiZIDE glyBURIDE guaiFENesin guanFACINE hydrALAZINE
    hydroCHLOROthiazide HYDROcodone hydroCORTISONE HYDROmorphone hydrOXYzine IDArubicin inFLIXimab lamiVUDine
    lamoTRIgine levETIRAcetam levOCARNitine LEVOleucovorin LORazepam medroxyPROGESTERone metFORMIN methylPREDNISolone
    methylTESTOSTERone metOLazone metroNIDAZOLE mitoMYcin mitoXANTRONE niCARdipine NIFEdipine niMODipine OLANZapine
    OXcarbazepine oxyCODONE oxyMORphone PARoxetine pazOPanib PEMEtrexed PENTobarbital PHENobarbital PRALAtrexate
    prednisoLONE predniSONE QUEtiapine quiNIDine quiNINE RABEprazole riFAMpin rifAXIMin risperiDONE riTUXimab
    rOPINIRole SAXagliptin SITagliptin SUFentanil sulfADIAZINE sulfaSALAzine SUMAtriptan TEGretol tiaGABine
    tiZANidine TOLAZamide TOLBUTamide traMADol traZODone valACYclovir valGANciclovir vinBLAStine vinCRIStine
    ZOLMitriptan ZyPREXA ZyrTEC
"""
_TALL = {name.lower(): name for name in _NAMES.split() if name != name.lower()}
_WORD = re.compile(r"[A-Za-z]+")


def tall_man(text: str) -> str:
    """Returns the text with each look-alike drug name in its tall-man letters; everything else stays as it is."""
    return _WORD.sub(lambda word: _TALL.get(word[0].lower(), word[0]), text)
