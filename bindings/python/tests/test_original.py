"""The interface of the original's package, name by name: what programs import, the arguments and their defaults, values
and texts (R10.20 to R10.52). What a Ksock does is tested elsewhere; here is that it is all there."""

import ctypes
import inspect
import subprocess
import sys
import unittest

import kbus
import kbus.ksock
import kbus.limpet
import kbus.messages
from daemon import WithDaemon
from kbus import (Announcement, Ksock, Message, MessageId, OrigFrom, Reply, Request, Status, hexdata, hexify,
                  message_from_parts, reply_to, stateful_request)

EVERYWHERE = """Announcement Ksock MSG_HEADER_LEN Message MessageId OrigFrom Reply Request Status c_data_as_bytes
calc_entire_message_len calc_padded_data_len calc_padded_name_len hexdata hexify message_from_parts read_bindings reply_to
split_replier_bind_event_data stateful_request""".split()

MESSAGE = "name data=None to=None from_=None orig_from=None final_to=None in_reply_to=None flags=None id=None " \
          "encoding='utf-8' errors='strict'"

SIGNATURES = {
    Message: MESSAGE,
    Announcement: "name data=None to=None from_=None flags=None id=None encoding='utf-8' errors='strict'",
    Request: "name data=None to=None from_=None final_to=None flags=None id=None encoding='utf-8' errors='strict'",
    Reply: "name data=None to=None from_=None orig_from=None in_reply_to=None flags=None id=None encoding='utf-8' "
           "errors='strict'",
    reply_to: "original data=None flags=0 encoding='utf-8' errors='strict'",
    stateful_request: "earlier_msg name data=None from_=None flags=None id=None encoding='utf-8' errors='strict'",
    MessageId: "network_id=0 serial_num=0",
    OrigFrom: "network_id=0 local_id=0",
    Message.set_want_reply: "self value=True",
    Message.set_urgent: "self value=True",
    Ksock: "which=0 mode='rw'",
    Ksock.bind: "self name replier=False",
    Ksock.unbind: "self name replier=False",
    Ksock.find_replier: "self name",
    Ksock.set_max_messages: "self count",
    Ksock.want_messages_once: "self only_once=False just_ask=False",
    Ksock.kernel_module_verbose: "self verbose=True just_ask=False",
    Ksock.report_replier_binds: "self report_events=True just_ask=False",
    Ksock.set_max_message_size: "self size",
    Ksock.write_msg: "self msg",
    Ksock.send_msg: "self msg",
    Ksock.write_data: "self data",
    Ksock.read_msg: "self length",
    Ksock.read_data: "self count",
    Ksock.wait_for_msg: "self timeout=None",
    kbus.read_bindings: "names",
    kbus.limpet.run_a_limpet: "is_server address family kbus_device network_id message_name='$.*' "
                              "termination_message=None verbosity=1",
    kbus.limpet.LimpetKsock: "which our_network_id their_network_id message_name='$.*' verbosity=1 "
                             "termination_message=None",
}
for plain in "close ksock_id next_msg len_left send discard last_msg_id max_messages num_messages num_unreplied_to " \
             "new_device max_message_size read_next_msg fileno".split():
    SIGNATURES[getattr(Ksock, plain)] = "self"
for plain in "extract to_bytes total_length wants_us_to_reply is_synthetic is_urgent is_reply is_request " \
             "is_stateful_request cast".split():
    SIGNATURES[getattr(Message, plain)] = "self"

IOCTLS = {"RESET": (0, 1), "BIND": (1, 2), "UNBIND": (1, 3), "KSOCKID": (2, 4), "REPLIER": (3, 5), "NEXTMSG": (2, 6),
          "LENLEFT": (2, 7), "SEND": (2, 8), "DISCARD": (0, 9), "LASTSENT": (2, 10), "MAXMSGS": (3, 11),
          "NUMMSGS": (2, 12), "UNREPLIEDTO": (2, 13), "MSGONLYONCE": (3, 14), "VERBOSE": (3, 15), "NEWDEVICE": (2, 16),
          "REPORTREPLIERBINDS": (3, 17), "MAXMSGSIZE": (3, 18)}


def signature(f):
    """The arguments that can be given by position, with their defaults."""
    said = []
    for p in inspect.signature(f).parameters.values():
        if p.kind == p.POSITIONAL_OR_KEYWORD:
            said.append(p.name if p.default is p.empty else "{}={!r}".format(p.name, p.default))
    return " ".join(said)


class Names(unittest.TestCase):
    def test_star(self):
        star = {}
        exec("from kbus import *", star)  # as its programs do
        for name in EVERYWHERE:
            self.assertIn(name, kbus.__all__)
            self.assertIs(star[name], getattr(kbus, name))
        self.assertNotIn("open", kbus.__all__)  # which would hide Python's own

    def test_modules(self):
        program = "from kbus.{} import *\nprint(*sorted(n for n in globals() if n[0] != '_'))"
        for module, names in (("messages", [n for n in EVERYWHERE if n not in ("Ksock", "read_bindings")]),
                              ("ksock", ["BindStruct", "Ksock", "ReplierStruct", "SendResultStruct", "read_bindings"])):
            said = subprocess.run([sys.executable, "-c", program.format(module)], stdout=subprocess.PIPE, check=True)
            self.assertEqual(set(names) - set(said.stdout.decode().split()), set())
        for name in names:
            self.assertTrue(hasattr(kbus.ksock, name))

    def test_limpet(self):
        for name in "GiveUp OtherLimpetGoneAway NoMessage ErrorMessage BadMessage LimpetKsock serialise_message_header " \
                    "unserialise_message_header convert_ReplierBindEvent_data_from_network connect_as_client " \
                    "convert_ReplierBindEvent_data_to_network connect_as_server remove_socket_file parse_address " \
                    "run_a_limpet".split():
            self.assertIn(name, kbus.limpet.__all__)
        self.assertTrue(hasattr(kbus.limpet.LimpetKsock, "could_not_send_to_kbus_msg"))

    def test_signatures(self):
        for f, want in SIGNATURES.items():
            self.assertEqual(signature(f), want, f)

    def test_constants(self):
        self.assertEqual((Message.START_GUARD, Message.END_GUARD), (0x7375624B, 0x4B627573))
        self.assertEqual((Message.WANT_A_REPLY, Message.WANT_YOU_TO_REPLY, Message.SYNTHETIC, Message.URGENT,
                          Message.ALL_OR_WAIT, Message.ALL_OR_FAIL), (1, 2, 4, 8, 0x100, 0x200))
        wide = ctypes.sizeof(ctypes.c_void_p) == 8
        self.assertEqual(kbus.MSG_HEADER_LEN, 88 if wide else 72)
        self.assertEqual(Ksock.IOC_MAGIC, "k")
        for name, (direction, number) in IOCTLS.items():
            size = ctypes.sizeof(ctypes.c_void_p) if direction else 0
            self.assertEqual(getattr(Ksock, "IOC_" + name), direction << 30 | size << 16 | 0x6B00 | number, name)

    def test_structs(self):
        wide = ctypes.sizeof(ctypes.c_void_p) == 8
        bind = kbus.ksock.BindStruct(1, 3, b"$.A")
        self.assertEqual((bind.is_replier, bind.name_len, bind.name, ctypes.sizeof(bind)), (1, 3, b"$.A", 16 if wide else 12))
        replier = kbus.ksock.ReplierStruct(name_len=3, name=b"$.A")
        self.assertEqual((replier.return_id, ctypes.sizeof(replier)), (0, 16 if wide else 12))
        self.assertEqual(ctypes.sizeof(kbus.ksock.SendResultStruct()), 8)


class Values(unittest.TestCase):
    def refuses(self, kind, f, *args, **kwargs):
        with self.assertRaises(kind) as caught:
            f(*args, **kwargs)
        return str(caught.exception)

    def test_ids(self):
        self.assertEqual([tuple(i) for i in (MessageId(), MessageId(1), MessageId(1, 2), MessageId(serial_num=3))],
                         [(0, 0), (1, 0), (1, 2), (0, 3)])
        self.assertEqual([tuple(i) for i in (OrigFrom(), OrigFrom(1), OrigFrom(local_id=2))], [(0, 0), (1, 0), (0, 2)])
        self.assertEqual((MessageId(1, 2).network_id, MessageId(1, 2).serial_num, OrigFrom(1, 2).local_id), (1, 2, 2))
        self.assertTrue(MessageId(1, 2) != MessageId(1, 3) and not MessageId(1, 2) != MessageId(1, 2))
        for pair in MessageId, OrigFrom:
            self.refuses(TypeError, lambda: pair(1, 2) <= pair(1, 2))
            self.refuses(TypeError, lambda: pair(1, 2) >= pair(1, 2))
            self.refuses(TypeError, hash, pair())
        self.assertIs(MessageId(1, 2).__add__("x"), NotImplemented)

    def test_what_cannot_be(self):
        self.assertEqual(self.refuses(ValueError, Message, "Fred"), 'Message name "Fred" does not start "$."')
        self.assertEqual(self.refuses(ValueError, Message, "$."), "Message name is 2 long, minimum is 3 (e.g., '$.*')")
        self.assertEqual(self.refuses(ValueError, Reply, "$.A"), "A Reply must specify in_reply_to")
        self.assertEqual(self.refuses(ValueError, Ksock, 0, "w"), "Ksock mode should be 'r' or 'rw', not 'w'")
        for data in 5, 5.0, [1], object():
            self.assertIn(type(data).__name__, self.refuses(TypeError, Message, "$.A", data))
        self.refuses(TypeError, Message, b"$.A")
        self.refuses(TypeError, Message)

    def test_positions(self):
        """What replaces fields may be given by position too, in the order of the constructor of that class."""
        m = Message("$.A", "x", 1, 2, flags=1, id=MessageId(1, 2))
        self.assertEqual(Message.from_message(m, "new", 7).extract(), (MessageId(1, 2), None, 7, 2, None, None, 1, "$.A", b"new"))
        self.assertEqual(Message.from_sequence(m.extract(), b"new").data, b"new")
        self.assertEqual(Request.from_message(m, "new", None, 9, OrigFrom(1, 1)).extract(),
                         (MessageId(1, 2), None, 1, 9, None, OrigFrom(1, 1), 1, "$.A", b"new"))
        self.assertEqual(Announcement.from_sequence(m.extract(), "new", 0, 0, 0).flags, 0)
        reply = Message("$.A", in_reply_to=MessageId(0, 1))
        self.assertEqual(Reply.from_message(reply, "new", 4).to, 4)
        self.assertEqual(Message.from_message(m, "\xe4", encoding="latin-1").data, b"\xe4")
        self.refuses(TypeError, Message.from_message, m, "new", data="newer")
        self.refuses(TypeError, Message.from_message, m, *range(11))
        self.refuses(TypeError, Message.from_message, m, colour=1)
        self.refuses(ValueError, Message.from_sequence, ())
        self.refuses(ValueError, Reply.from_message, m)

    def test_bytes(self):
        """The class says what is made of the bytes."""
        plain = Message("$.A", "x", 1, 2, OrigFrom(3, 4), OrigFrom(5, 6), MessageId(7, 8), 8, MessageId(9, 10)).to_bytes()
        m = Request.from_bytes(plain)
        self.assertEqual((type(m), m.flags, m.in_reply_to, m.orig_from, m.final_to),
                         (Request, 9, None, OrigFrom(3, 4), OrigFrom(5, 6)))
        m = Announcement.from_bytes(plain)
        self.assertEqual((type(m), m.flags, m.in_reply_to, m.orig_from, m.final_to), (Announcement, 8, None, None, None))
        m = Reply.from_bytes(plain)
        self.assertEqual((type(m), m.in_reply_to, m.final_to), (Reply, MessageId(7, 8), None))
        m = Status.from_bytes(plain)
        self.assertEqual((type(m), m.to_bytes()), (Status, plain))
        self.assertEqual(Message.from_bytes(plain).to_bytes(), plain)
        self.assertEqual(self.refuses(ValueError, Reply.from_bytes, Message("$.A").to_bytes()), "A Reply must specify in_reply_to")
        for broken in b"", plain[:10], b"x" + plain[1:]:
            for kind in Message, Request, Announcement, Reply, Status:
                self.refuses(ValueError, kind.from_bytes, broken)

    def test_helpers(self):
        self.assertEqual((hexdata("12"), hexdata("a b"), hexdata(b"\0")), ("12", r"a\x20b", r"\x00"))
        self.assertEqual((hexify("12"), hexify(b"\x01")), ("31 32", "01"))
        data = ctypes.create_string_buffer(b"abc")
        self.assertEqual(kbus.c_data_as_bytes(ctypes.addressof(data), 2), b"ab")
        fields = (None, None, 0, 0, None, None, 0, "$.A", None)
        self.assertEqual(message_from_parts(*fields).extract(), fields)

    def test_repr(self):
        full = dict(to=1, from_=2, flags=9, id=MessageId(9, 10))
        reply = Message("$.KBUS.A", in_reply_to=MessageId(7, 8), orig_from=OrigFrom(3, 4), final_to=OrigFrom(5, 6), **full)
        self.assertEqual(repr(reply), "Message('$.KBUS.A', to=1, from_=2, orig_from=OrigFrom(3, 4), final_to=OrigFrom(5, 6),"
                                      " in_reply_to=MessageId(7, 8), flags=0x00000009, id=MessageId(9, 10))")
        self.assertEqual(repr(Status.from_bytes(reply.to_bytes())), "Status('$.KBUS.A', to=1, from_=2, "
                         "in_reply_to=MessageId(7, 8), flags=0x00000009, id=MessageId(9, 10))")
        self.assertEqual(repr(Announcement("$.A", **full)),
                         "Announcement('$.A', to=1, from_=2, flags=0x00000009, id=MessageId(9, 10))")


class Ksocks(WithDaemon):
    def test_attributes(self):
        k = self.ksock()
        self.assertEqual((k.which, k.name, k.mode), (0, "/dev/kbus0", "read/write"))
        self.assertEqual((str(k), repr(k)), ("Ksock device 0, id 1, mode read/write",
                                             "<Ksock /dev/kbus0 open for read/write>"))
        self.assertIs(type(k.fileno()), int)
        k.close()
        self.assertEqual((k.fd, k.mode, str(k), repr(k)), (None, None, "Ksock device 0 (closed)", "<Ksock /dev/kbus0 closed>"))
        self.assertRaises(AttributeError, k.close)
        with self.assertRaises(IOError):
            Ksock(99)

    def test_kind_of_what_is_read(self):
        """Always a plain Message."""
        k = self.ksock("$.*")
        k.send_msg(Announcement("$.A"))
        k.send_msg(Announcement("$.A"))
        self.assertEqual([type(m) for m in k], [Message, Message])
        self.assertEqual(list(k), [])
        k.send_msg(Announcement("$.A"))  # iteration may be resumed
        self.assertEqual(len(list(k)), 1)

    def test_bindings(self):
        k = self.ksock("$.A")
        self.assertEqual(kbus.ksock.read_bindings({1: "me"}), [("me", False, "$.A")])
        self.assertEqual((k.find_replier("$.A"), k.last_msg_id()), (None, MessageId(0, 0)))


if __name__ == "__main__":
    unittest.main()
