"""The integrator's face: the OpenAPI file and the pages that show it. It owns nothing and announces nothing."""
