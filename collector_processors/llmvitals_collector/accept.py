"""What a client says that it accepts."""


def weight(accepted: str, wanted: str, *parameters_wanted: str) -> float:
    """The highest weight that a header gives to a media type or coding, 0 where it does not name it.

    https://www.rfc-editor.org/rfc/rfc9110#name-quality-values
    """
    weights = [0.0]
    for item in accepted.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        if name == wanted and set(parameters_wanted) <= set(parameters):
            given = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
            weights.append(float(given) if given.replace(".", "", 1).isdecimal() else 0.0)
    return max(weights)
