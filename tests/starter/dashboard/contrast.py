"""How readable what a browser shows is: the contrast ratio of WCAG 2.2 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.starter.dashboard.browser import Page

Colour = tuple[float, float, float]
AA = 4.5
"""The least ratio for text of ordinary size (success criterion 1.4.3)."""
TEXTS = """
const colours = document.createElement('canvas').getContext('2d', {willReadFrequently: true, colorSpace: 'srgb'});
colours.canvas.width = colours.canvas.height = 1;
const mixed = (layers) => {
  colours.clearRect(0, 0, 1, 1);
  for (const layer of layers) { colours.fillStyle = layer; colours.fillRect(0, 0, 1, 1); }
  return [...colours.getImageData(0, 0, 1, 1).data].slice(0, 3);
};
const behind = (element) => {
  const layers = [];
  for (let each = element; each; each = each.parentElement) layers.unshift(getComputedStyle(each).backgroundColor);
  const scheme = getComputedStyle(document.documentElement).colorScheme;
  const dark = scheme.includes('dark') && matchMedia('(prefers-color-scheme: dark)').matches;
  return [dark ? '#121212' : '#ffffff', ...layers];
};
const opacity = (element) => {
  let all = 1;
  for (let each = element; each; each = each.parentElement) all *= getComputedStyle(each).opacity;
  return all;
};
const faded = (element, front) => {
  const back = mixed(behind(element)), part = opacity(element);
  return mixed([...behind(element), front]).map((value, place) => value * part + back[place] * (1 - part));
};
const spoken = (element) => element.offsetWidth <= 1 && element.offsetHeight <= 1 && !(element instanceof SVGElement);
const own = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
const shown = (element) => element.checkVisibility({opacityProperty: true, visibilityProperty: true});
return [...document.querySelectorAll('body, body *')]
  .filter((element) => own(element) && shown(element) && !element.disabled && !spoken(element))
  .map((element) => {
    const style = getComputedStyle(element);
    const svg = element instanceof SVGElement;
    return {
      text: element.textContent.trim().slice(0, 40),
      place: element.tagName.toLowerCase() + (element.id ? '#' + element.id : '') + '.' + (element.getAttribute('class') || ''),
      back: mixed(behind(element)),
      front: faded(element, svg ? style.fill : style.color),
    };
  });
"""


@dataclass(frozen=True)
class Text:
    """A piece of a page; colours as three numbers of 0 to 255."""

    text: str
    place: str
    front: Colour
    back: Colour

    @property
    def ratio(self) -> float:
        return ratio(self.front, self.back)


def luminance(colour: Colour) -> float:
    """Relative luminance of an sRGB colour, 0 to 1."""
    red, green, blue = (_linear(part / 255) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def ratio(one: Colour, other: Colour) -> float:
    """1 (the same) to 21 (black on white)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def texts(page: Page) -> list[Text]:
    """Every element with text of its own that people can see, with what lies behind it mixed in."""
    found: list[dict[str, Any]] = page.script(TEXTS)
    return [Text(each["text"], each["place"], tuple(each["front"]), tuple(each["back"])) for each in found]


def unreadable(page: Page) -> list[str]:
    """Texts whose contrast is less than `AA`, with their places."""
    return [f"{each.place} {each.text!r} {each.ratio:.2f}" for each in texts(page) if each.ratio < AA]


def colour(text: str) -> Colour:
    """Of '#rrggbb'."""
    red, green, blue = (int(part, 16) for part in re.findall("[0-9a-fA-F]{2}", text))
    return red, green, blue
