"""From a request to a method and its message: templates, router, binding."""
