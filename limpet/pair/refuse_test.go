package pair_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/pair"
	"kbus.example/kbus/limpet/wire"
)

// Whoever may not join is told why, or at least that it may not; and the log of who refuses says it all.
func TestRefusals(t *testing.T) {
	dir, other := certificates(t, 1, 2, 3), certificates(t, 1, 2)
	for _, c := range []struct {
		what             string
		change           func(l, c *pair.Options)
		listener, caller string
	}{
		{"plain text where TLS is", func(l, c *pair.Options) { secure(dir)(l, c); c.Legacy, c.Credentials = true, nil },
			"speaks plain text, which is refused", "hung up without a greeting"},
		{"TLS where plain text is", func(l, c *pair.Options) { secure(dir)(l, c); l.Legacy, l.Credentials = true, nil },
			"speaks TLS, and we have no certificates", "the other end speaks plain text"},
		{"another authority", func(l, c *pair.Options) { secure(dir)(l, c); c.Credentials = pair.InDirectory(other, 2) },
			"the other end refuses our certificate", "is of another authority than ours"},
		{"our own id, by TLS", func(l, c *pair.Options) { c.ID = 1; secure(dir)(l, c) },
			"has our own network id 1", "has our own network id 1"},
		{"our own id, in plain text", func(_, c *pair.Options) { c.ID = 1 }, "has our own network id 1", "has our own network id 1"},
	} {
		t.Run(c.what, func(t *testing.T) {
			address := socketIn(t)
			l, o := options(newBus(t), 1, address), options(newBus(t), 2, address)
			l.Listen, l.Legacy, o.Legacy, o.Once = true, true, true, true
			c.change(&l, &o)
			listener := run(t, l)
			listener.log.await("listening")
			if err := run(t, o).ended(); err == nil || !strings.Contains(err.Error(), c.caller) {
				t.Errorf("who connects says: %v", err)
			}
			listener.log.await("refused", c.listener)
		})
	}
}

// What the other end can do wrong by itself. The stream is raw, as from a program that is no Limpet of ours.
func TestHostile(t *testing.T) {
	dir, other := certificates(t, 1, 2), certificates(t, 2)
	hello := func(id uint32) []byte { return wire.AppendHello(nil, id) }
	long := wire.AppendMessage(hello(2), kbus.Announcement("$.A", ""))
	long[8+54], long[8+55] = 0x03, 0xE9 // a name of 1001 bytes
	for _, c := range []struct {
		what  string
		plain bool
		cert  string // directory
		sends []byte
		log   string
	}{
		{"a browser", true, "", []byte("GET / HTTP/1.1\r\n"), "is no Limpet: it begins with byte 0x47"},
		{"wrong letters", true, "", []byte("HELP\x00\x00\x00\x02"), `greets with "HELP"`},
		{"id 0 (B19)", true, "", hello(0), "its network id is 0"},
		{"another's id", false, dir, hello(3), "says that its network id is 3, and its certificate is for 2"},
		{"no certificate", false, "", hello(2), "certificate"},
		{"another authority", false, other, hello(2), "is of another authority than ours"},
		{"too long a name (B20)", false, dir, long, "a name of 1001 bytes"},
		{"no message at all", false, dir, append(hello(2), make([]byte, 64)...), "begins with 00000000"},
	} {
		t.Run(c.what, func(t *testing.T) {
			o := options(newBus(t), 1, socketIn(t))
			o.Listen, o.Legacy, o.Credentials = true, c.plain, pair.InDirectory(dir, 1)
			listener := run(t, o)
			listener.log.await("listening")
			conn, err := net.Dial("unix", o.Address)
			must(t, err)
			defer conn.Close()
			stream := io.ReadWriter(conn)
			if !c.plain {
				config := &tls.Config{InsecureSkipVerify: true}
				if c.cert != "" {
					files := pair.InDirectory(c.cert, 2)
					cert, err := tls.LoadX509KeyPair(files.Cert, files.Key)
					must(t, err)
					config.Certificates = []tls.Certificate{cert}
				}
				stream = tls.Client(conn, config)
			}
			_, _ = stream.Write(c.sends) // it may hang up at any moment
			_, _ = io.Copy(io.Discard, stream)
			listener.log.await(c.log)
		})
	}
}

// Files of another Limpet, or none, are told at once; and none is overwritten.
func TestCredentialsOfAnother(t *testing.T) {
	dir := certificates(t, 1, 2)
	o := options(newBus(t), 1, socketIn(t))
	o.Credentials = &pair.Credentials{
		Authority: dir + "/authority.pem", Cert: dir + "/limpet.2.pem", Key: dir + "/limpet.2.key",
	}
	if err := run(t, o).ended(); err == nil || !strings.Contains(err.Error(), "for network id 2, and ours is to be 1") {
		t.Errorf("%v", err)
	}
	o.Credentials = pair.InDirectory(dir, 7)
	o.ID = 7
	if err := run(t, o).ended(); err == nil || !strings.Contains(err.Error(), "limpet.7.pem") {
		t.Errorf("%v", err)
	}
	if _, err := pair.MakeCertificates(dir, []uint32{2}); err == nil {
		t.Error("a certificate has been overwritten")
	}
}

// Somebody who connects and says nothing keeps nobody else out.
func TestSilentConnection(t *testing.T) {
	a, b := newBus(t), newBus(t)
	address := socketIn(t)
	l := options(a, 1, address)
	l.Listen, l.Legacy = true, true
	listener := run(t, l)
	listener.log.await("listening")
	noHeartbeat, err := net.Dial("unix", address)
	must(t, err)
	defer noHeartbeat.Close()
	c := options(b, 2, address)
	c.Legacy = true
	connector := run(t, c)
	connector.log.await("joined")
	must(t, connector.stop())
	must(t, listener.stop())
	if _, err := noHeartbeat.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
}
