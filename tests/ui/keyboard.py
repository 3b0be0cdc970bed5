"""Steps of a person who has only a keyboard."""

from playwright.sync_api import Locator, Page

MOST_TABS = 150


def go_to(page: Page, target: Locator) -> None:
    """Press Tab until the element has the focus, and check that the focus can be seen."""
    target.wait_for()
    for _ in range(MOST_TABS):
        if has_focus(target):
            break
        page.keyboard.press("Tab")
    assert has_focus(target), f"Tab does not reach {target}"
    assert shows_focus(target), f"nothing shows that {target} has the focus"


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    """Go to an element and press a key on it."""
    go_to(page, target)
    page.keyboard.press(key)


def write(page: Page, target: Locator, text: str) -> None:
    """Go to a field and type, over what is in it."""
    go_to(page, target)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(text)


def has_focus(target: Locator) -> bool:
    """Whether the element has the focus."""
    return bool(target.evaluate("element => element === document.activeElement"))


def shows_focus(target: Locator) -> bool:
    """Whether the element looks different while it has the focus."""
    return bool(
        target.evaluate(
            """element => {
                const look = () => {
                    const s = getComputedStyle(element);
                    return [s.outlineStyle === 'none' ? '' : s.outlineWidth + s.outlineColor,
                            s.boxShadow, s.borderColor, s.backgroundColor, s.stroke, s.strokeWidth,
                            s.textDecorationLine].join('|');
                };
                const focused = look();
                element.blur();
                const blurred = look();
                element.focus({focusVisible: true});
                return focused !== blurred;
            }"""
        )
    )
