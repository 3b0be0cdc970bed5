"""Continents of countries, which are the regions of a topology unless the operator sets others.

The assignment is that of the United Nations' M49 standard with the Americas divided into North
(with Central America and the Caribbean) and South America; territories that M49 does not list are
with their neighbours.
"""

import functools

_COUNTRIES = {
    "africa": "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR "
    "LS LY MA MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TF TG "
    "TN TZ UG YT ZA ZM ZW",
    "antarctica": "AQ BV GS HM",
    "asia": "AE AF AM AZ BD BH BN BT CC CN CX CY GE HK ID IL IN IO IQ IR JO JP KG KH KP KR "
    "KW KZ LA LB LK MM MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TL TM TR TW UZ "
    "VN YE",
    "europe": "AD AL AT AX BA BE BG BY CH CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS "
    "IT JE LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK",
    "north-america": "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN "
    "KY LC MF MQ MS MX NI PA PM PR SV SX TC TT UM US VC VG VI",
    "oceania": "AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV VU WF WS",
    "south-america": "AR BO BR CL CO EC FK GF GY PE PY SR UY VE",
}


def continent(country: str) -> str:
    """The continent of an ISO 3166-1 alpha-2 code, or the code itself if it is not known."""
    return _by_country().get(country, country)


@functools.cache
def _by_country() -> dict[str, str]:
    return {code: name for name, codes in _COUNTRIES.items() for code in codes.split()}
