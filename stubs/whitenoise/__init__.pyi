# The part of WhiteNoise that HIMS uses.
