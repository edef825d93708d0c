"""Messages as values: what they say, how they print, and what cannot be made (R10.20 to R10.39)."""

import struct
import unittest

import kbus
from kbus import (Announcement, Message, MessageId, OrigFrom, Reply, Request, Status, reply_to,
                  split_replier_bind_event_data, stateful_request)


class Ids(unittest.TestCase):
    def test_print(self):
        self.assertEqual((repr(MessageId(1, 2)), str(MessageId(1, 2))), ("MessageId(1, 2)", "[1:2]"))
        self.assertEqual((repr(OrigFrom(1, 2)), str(OrigFrom(1, 2))), ("OrigFrom(1, 2)", "(1,2)"))
        self.assertEqual(repr(kbus.Sent(0, 4, 1, 0)), "MessageId(0, 4)")

    def test_compare(self):
        self.assertTrue(MessageId(0, 9) < MessageId(1, 1) < MessageId(1, 2))
        self.assertTrue(OrigFrom(1, 1) > OrigFrom(0, 9))
        self.assertEqual(kbus.Sent(0, 4, 1, 0), MessageId(0, 4))
        self.assertNotEqual(MessageId(1, 2), OrigFrom(1, 2))
        with self.assertRaises(TypeError):
            MessageId(0, 1) <= MessageId(0, 2)
        with self.assertRaises(TypeError):
            MessageId(0, 1) < 3
        with self.assertRaises(TypeError):
            hash(MessageId(0, 1))

    def test_add(self):
        self.assertEqual(MessageId(3, 4) + 5, MessageId(3, 9))
        with self.assertRaises(TypeError):
            MessageId(3, 4) + "5"
        with self.assertRaises(TypeError):
            OrigFrom(3, 4) + 5


class Messages(unittest.TestCase):
    def test_what_cannot_be_made(self):
        for name, words in (("X", 'Message name "X" does not start "$."'),
                            ("$.", "Message name is 2 long, minimum is 3 (e.g., '$.*')")):
            with self.assertRaises(ValueError) as caught:
                Message(name)
            self.assertEqual(str(caught.exception), words)
        for fields in ({"to": -1}, {"from_": 1 << 32}, {"flags": -1}):
            with self.assertRaises(ValueError):
                Message("$.A", **fields)
        with self.assertRaises(ValueError) as caught:
            Reply("$.A", to=1)
        self.assertEqual(str(caught.exception), "A Reply must specify in_reply_to")
        for make in (lambda: Status("$.A"), lambda: Status.from_message(Message("$.A")),
                     lambda: Status.from_sequence(Message("$.A").extract())):
            self.assertRaises(NotImplementedError, make)
        self.assertRaises(TypeError, Announcement("$.A").set_want_reply)
        self.assertRaises(TypeError, Request("$.A").set_want_reply)
        self.assertRaises(TypeError, hash, Message("$.A"))

    def test_data(self):
        self.assertEqual(Message("$.A", "ä").data, b"\xc3\xa4")
        self.assertEqual(Message("$.A", "ä", encoding="latin-1").data, b"\xe4")
        self.assertEqual(Message("$.A", bytearray(b"x")).data, b"x")
        self.assertIsNone(Message("$.A", "").data)
        self.assertIsNone(Message("$.A", b"").data)

    def test_fields(self):
        m = Message("$.A", b"x", 1, 2, OrigFrom(3, 4), OrigFrom(5, 6), MessageId(7, 8), 9, MessageId(10, 11))
        self.assertEqual(m.extract(), (MessageId(10, 11), MessageId(7, 8), 1, 2, OrigFrom(3, 4), OrigFrom(5, 6), 9,
                                       "$.A", b"x"))
        self.assertEqual(Message("$.A").extract(), (None, None, 0, 0, None, None, 0, "$.A", None))

    def test_copies(self):
        m = Message("$.A", b"x", to=1, flags=3, id=MessageId(1, 1))
        self.assertEqual(Message.from_message(m), m)
        self.assertEqual(Message.from_message(m, to=0, data=b"y"), Message("$.A", b"y", flags=3, id=MessageId(1, 1)))
        self.assertEqual(Message.from_message(m, data=None), m)
        self.assertRaises(TypeError, Message.from_message, m, name="$.B")
        self.assertRaises(ValueError, Message.from_sequence, m.extract()[1:])
        self.assertEqual(Announcement.from_message(Message("$.A", in_reply_to=MessageId(0, 1), final_to=OrigFrom(1, 1))),
                         Message("$.A"))
        self.assertEqual(Request.from_message(m).flags, 3)

    def test_kinds(self):
        for m, words in ((Message("$.A"), "Announcement"), (Message("$.A", flags=1), "Request"),
                         (Message("$.A", in_reply_to=MessageId(0, 1), flags=1), "Reply"),
                         (Message("$.KBUS.A", in_reply_to=MessageId(0, 1)), "Status")):
            cast = m.cast()
            self.assertEqual(type(cast).__name__, words)
            self.assertEqual(cast, m)
            self.assertTrue(repr(cast).startswith(words + "("), repr(cast))
            self.assertTrue(str(m).startswith("<{} '$.".format(words)), str(m))

    def test_cast_has_what_its_kind_has(self):
        m = Message("$.A", "x", orig_from=OrigFrom(1, 2), final_to=OrigFrom(3, 4), flags=8)
        self.assertEqual(m.cast(), Message("$.A", "x", flags=8))
        m = Message("$.A", orig_from=OrigFrom(1, 2), final_to=OrigFrom(3, 4), in_reply_to=MessageId(0, 1))
        self.assertEqual((m.cast().orig_from, m.cast().final_to), (OrigFrom(1, 2), None))

    def test_equality(self):
        self.assertEqual(Request("$.A"), Message("$.A", flags=Message.WANT_A_REPLY))
        self.assertNotEqual(Request("$.A"), Message("$.A"))
        self.assertNotEqual(Message("$.A"), "$.A")
        self.assertTrue(Message("$.A", "x", from_=3).equivalent(Message("$.A", "x", flags=1)))
        self.assertFalse(Message("$.A", "x", to=3).equivalent(Message("$.A", "x")))

    def test_flags(self):
        m = Message("$.A", flags=0xABCD0000)
        m.set_want_reply()
        m.set_urgent()
        self.assertTrue(m.is_request() and m.is_urgent() and not m.wants_us_to_reply() and not m.is_synthetic())
        m.set_want_reply(False)
        m.set_urgent(False)
        self.assertEqual(m.flags, 0xABCD0000)

    def test_print(self):
        m = Message("$.Lamp.Set", "on", from_=4, flags=3, id=MessageId(0, 12))
        self.assertEqual(str(m), "<Request '$.Lamp.Set', id=[0:12], from=4, flags=0x3 (REQ,YOU), data=b'on'>")
        self.assertEqual(repr(m), "Message('$.Lamp.Set', data=b'on', from_=4, flags=0x00000003, id=MessageId(0, 12))")
        self.assertEqual(repr(m.msg), "<7375624b] 0:12 0:0 0 4 0,0 0,0 00000003 10 2 '$.Lamp.Set' 'on' [4b627573>")
        m = Message("$.A", to=1, orig_from=OrigFrom(2, 3), final_to=OrigFrom(4, 5), in_reply_to=MessageId(0, 1),
                    flags=0x730C)
        self.assertEqual(str(m), "<Reply '$.A', to=1, orig_from=(2,3), final_to=(4,5), in_reply_to=[0:1], "
                                 "flags=0x730c (SYN,URG,aFL,aWT)>")
        self.assertEqual(str(Message("$.A", flags=0x10)), "<Announcement '$.A', flags=0x10>")

    def test_repr_makes_the_same(self):
        names = {name: getattr(kbus, name) for name in kbus.__all__}
        for m in (Message("$.A", b"x", 1, 2, OrigFrom(3, 4), OrigFrom(5, 6), MessageId(7, 8), 9, MessageId(1, 1)),
                  Announcement("$.A", "x", 1, 2, 8), Request("$.A", "x", 1, 2, OrigFrom(1, 2), 8),
                  Reply("$.A", "x", 1, 2, OrigFrom(1, 2), MessageId(1, 2))):
            self.assertEqual(eval(repr(m), names), m)

    def test_bind_event(self):
        data = struct.pack("=III", 1, 5, 6) + b"$.Fred\0\0"
        self.assertEqual(split_replier_bind_event_data(data), (1, 5, "$.Fred"))
        m = Message("$.KBUS.ReplierBindEvent", data, flags=0x204, id=MessageId(0, 9))
        self.assertEqual(str(m), "<ReplierBindEvent id=[0:9], flags=0x204 (SYN,aFL), [Bind '$.Fred' for 5]>")
        for broken in (b"", data[:11], data[:15], struct.pack("=III", 1, 5, 0xFFFFFFFF)):
            self.assertRaises(ValueError, split_replier_bind_event_data, broken)
            self.assertIn("Announcement '$.KBUS.ReplierBindEvent'", str(Message.from_message(m, data=broken or b"z")))


class Answers(unittest.TestCase):
    def test_reply_to(self):
        m = Message("$.A", "q", from_=4, flags=3, id=MessageId(0, 12), orig_from=OrigFrom(1, 2))
        self.assertEqual(reply_to(m, "a"), Reply("$.A", "a", to=4, in_reply_to=MessageId(0, 12)))
        for flags in (0, 1, 2):
            self.assertRaises(ValueError, reply_to, Message("$.A", flags=flags, from_=1, id=MessageId(0, 1)))

    def test_stateful_request(self):
        reply = Message("$.A", from_=4, orig_from=OrigFrom(1, 2), in_reply_to=MessageId(0, 1))
        first = stateful_request(reply, "$.B", "x")
        self.assertEqual(first, Request("$.B", "x", to=4, final_to=OrigFrom(1, 2)))
        self.assertEqual(stateful_request(first, "$.B", "y"), Request("$.B", "y", to=4, final_to=OrigFrom(1, 2)))
        for other in (Message("$.A"), Request("$.A")):
            self.assertRaises(ValueError, stateful_request, other, "$.B")


class Helpers(unittest.TestCase):
    def test_hex(self):
        self.assertEqual(kbus.hexdata(b"a1! \x00\xff"), r"a1!\x20\x00\xff")
        self.assertEqual(kbus.hexify(b"\x00\x0a\xff"), "00 0a ff")

    def test_lengths(self):
        self.assertEqual([kbus.calc_padded_name_len(n) for n in (3, 4, 6, 7, 8)], [4, 8, 8, 8, 12])
        self.assertEqual([kbus.calc_padded_data_len(n) for n in (0, 1, 4, 5)], [0, 4, 4, 8])
        self.assertEqual(kbus.calc_entire_message_len(6, 7), kbus.MSG_HEADER_LEN + 20)

    def test_parts(self):
        fields = (MessageId(10, 11), None, 1, 2, OrigFrom(3, 4), None, 9, "$.A", b"x")
        self.assertEqual(kbus.message_from_parts(*fields).extract(), fields)


if __name__ == "__main__":
    unittest.main()
