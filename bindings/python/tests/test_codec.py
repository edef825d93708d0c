"""Bytes: every form of a message against bytes written out by hand, against random messages, and against garbage."""

import random
import struct
import unittest

from kbus import Message, MessageId, OrigFrom, layout, limpetwire, wire

MESSAGE = Message("$.Fred", b"abc", 1, 2, OrigFrom(3, 4), OrigFrom(5, 6), MessageId(7, 8), 9, MessageId(10, 11))
NUMBERS = (10, 11, 7, 8, 1, 2, 3, 4, 5, 6, 0, 9)
FRED = b"$.Fred\0\0abc\0"


def random_message(rand):
    name = b"$." + bytes(rand.choice(b"abc.XYZ019") for _ in range(rand.choice((1, 2, 3, 4, 5, 998))))
    data = bytes(rand.randrange(256) for _ in range(rand.choice((0, 1, 2, 3, 4, 5, 300))))
    numbers = tuple(rand.choice((0, 1, 0xFFFFFFFF, rand.randrange(1 << 32))) for _ in range(12))
    return Message.from_parts(layout.Parts(numbers, name, data))


class Forms(unittest.TestCase):
    def test_entire(self):
        want = struct.pack("=I12III4xQQI4x", 0x7375624B, *NUMBERS, 6, 3, 0, 0, 0x4B627573) + FRED + b"subK"
        self.assertEqual(layout.to_entire(MESSAGE.parts, wide=True), want)
        self.assertEqual(len(want), 104)
        narrow = struct.pack("=I12IIIIII", 0x7375624B, *NUMBERS, 6, 3, 0, 0, 0x4B627573) + FRED + b"subK"
        self.assertEqual(layout.from_entire(want, wide=True), MESSAGE.parts)
        self.assertIn(MESSAGE.to_bytes(), (want, narrow))
        self.assertEqual(MESSAGE.total_length(), len(MESSAGE.to_bytes()))

    def test_frame(self):
        want = struct.pack("<14I", *NUMBERS, 6, 3) + b"$.Fredabc"
        self.assertEqual(wire.message(MESSAGE.parts), want)
        self.assertEqual(list(wire.messages(want + want)), [MESSAGE.parts] * 2)
        self.assertEqual(wire.frame(wire.BIND, 7, 1, b"$.A").hex(), "03000000" "0300" "0000" "07000000" "01000000" "242e41")

    def test_limpet(self):
        want = b"subK" + struct.pack(">12III", *NUMBERS, 6, 3) + b"Kbus" + FRED + b"Kbus"
        self.assertEqual(limpetwire.serialise_message(MESSAGE), want)

    def test_random(self):
        rand = random.Random(1)
        for _ in range(500):
            m = random_message(rand)
            raw = m.to_bytes()
            self.assertEqual((len(raw), Message.from_bytes(raw).parts), (m.total_length(), m.parts))
            self.assertEqual(next(wire.messages(wire.message(m.parts))), m.parts)
            stream = Stream(limpetwire.serialise_message(m))
            if len(m.parts.name) <= 1000:
                self.assertEqual(limpetwire.unserialise_message(stream.read, 300).parts, m.parts)
                self.assertEqual(stream.rest, b"")


class Stream:
    def __init__(self, rest):
        self.rest = rest

    def read(self, count):
        if count > len(self.rest):
            raise limpetwire.OtherLimpetGoneAway
        got, self.rest = self.rest[:count], self.rest[count:]
        return got


class Garbage(unittest.TestCase):
    """Whatever comes, it is either understood or refused by the exception that is made for that."""

    def spoilt(self, raw):
        rand = random.Random(2)
        for _ in range(2000):
            b = bytearray(raw[:rand.choice((len(raw), rand.randrange(len(raw) + 1)))])
            for _ in range(rand.randrange(4)):
                if b:
                    b[rand.randrange(len(b))] = rand.choice((0, 1, 0x7F, 0xFF, rand.randrange(256)))
            yield bytes(b)

    def test_entire(self):
        for b in self.spoilt(MESSAGE.to_bytes()):
            try:
                str(Message.from_bytes(b)), repr(Message.from_bytes(b))
            except ValueError:
                pass

    def test_frames(self):
        for b in self.spoilt(wire.message(MESSAGE.parts) * 2):
            for parse in (wire.messages, wire.entries):
                try:
                    list(parse(b))
                except wire.Malformed:
                    pass

    def test_limpet(self):
        for b in self.spoilt(limpetwire.serialise_message(MESSAGE)):
            try:
                limpetwire.unserialise_message(Stream(b).read, 300)
            except (limpetwire.BadMessage, limpetwire.OtherLimpetGoneAway):
                pass

    def test_limpet_lengths_are_not_believed(self):
        """B20: nothing is read, or allocated, for a length that cannot be."""
        for name_len, data_len in ((1001, 0), (0, 0), (6, 301), (0xFFFFFFFF, 0xFFFFFFFF)):
            header = struct.pack(">I12IIII", 0x7375624B, *NUMBERS, name_len, data_len, 0x4B627573)
            self.assertRaises(limpetwire.BadMessage, limpetwire.unserialise_message, Stream(header).read, 300)


if __name__ == "__main__":
    unittest.main()
