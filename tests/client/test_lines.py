"""Lines come out whole, however the chunks were cut."""

from hypothesis import given
from hypothesis import strategies as st

from pybernetes.client.lines import LineSplitter


@given(st.lists(st.binary(min_size=1).filter(lambda line: b"\n" not in line)), st.data())
def test_any_cutting_gives_the_same_lines(lines: list[bytes], data: st.DataObject) -> None:
    text = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    splitter = LineSplitter()
    found: list[bytes] = []
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        found += splitter.feed(text[start:end])
    assert found == lines


def test_an_unfinished_line_is_not_told() -> None:
    assert LineSplitter().feed(b'{"a":1}\n\n{"b"') == [b'{"a":1}']
