from pykube_cp.machinery.remember import MAX_LENGTH, remembered


def test_only_short_texts_are_remembered() -> None:
    asked: list[int] = []

    @remembered(2)
    def size(text: str) -> int:
        asked.append(len(text))
        return len(text)

    short, long = "a" * MAX_LENGTH, "a" * (MAX_LENGTH + 1)
    assert [size(text) for text in (short, short, long, long)] == [256, 256, 257, 257]
    assert asked == [256, 257, 257]
