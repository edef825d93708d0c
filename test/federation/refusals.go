package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus"
)

// A server with the sample configuration of dist/nats refuses whom it does not know, and each gets its own clear
// message; what a member must not say it cannot say; and what nobody could carry is refused where it is sent.

const sample = "dist/nats/kbus.conf"

// gate is such a server, and what members need to come in.
type gate struct {
	*testbed
	keys  [4]string // files with the seeds of members' nkeys
	flags [4][]string
	other *authority
}

func refusalsCase(p *play) error {
	h, err := p.newTestbed(3)
	if err != nil {
		return err
	}
	defer h.close()
	g := &gate{testbed: h}
	if err := g.open(); err != nil {
		return err
	}
	for _, refusal := range []struct {
		about string
		try   func() error
	}{
		{"no TLS where it is wanted", g.plainText}, {"another authority", g.otherAuthority},
		{"a certificate of another authority", g.otherCertificate}, {"a key that is not known", g.otherKey},
		{"another's id", g.otherID}, {"TLS where there is none", g.noTLS}, {"equal ids", g.equalIDs},
		{"a server that takes too little", g.tooLittle}, {"an ordered bowl", g.ordered},
		{"a word in the order for another", g.orderedForAnother}, {"bytes that are no envelope", g.garbage},
	} {
		if err := refusal.try(); err != nil {
			return fmt.Errorf("%s: %w", refusal.about, err)
		}
	}
	return nil
}

// open starts the server, in the Limpet of member 1, and joins member 2.
func (g *gate) open() error {
	ours, err := newAuthority(g.dir, "ours")
	if err != nil {
		return err
	}
	if g.other, err = newAuthority(g.dir, "other"); err != nil {
		return err
	}
	cert, key, err := ours.certify("server", "10.99.0.1")
	if err != nil {
		return err
	}
	env := []string{
		"KBUS_SERVER=gate", "KBUS_STORE=" + filepath.Join(g.dir, "store"), "KBUS_LISTEN=10.99.0.1:4222",
		"KBUS_TLS_CERT=" + cert, "KBUS_TLS_KEY=" + key, "KBUS_TLS_CA=" + ours.ca(),
	}
	for id := 1; id <= 3; id++ {
		g.keys[id] = filepath.Join(g.dir, fmt.Sprintf("bowl%d.nk", id))
		public, err := exec.Command(filepath.Join(g.play.bin, "kbus-limpet"), "nkey", g.keys[id]).Output()
		if err != nil {
			return err
		}
		env = append(env, fmt.Sprintf("KBUS_NKEY_%d=%s", id, strings.TrimSpace(string(public))))
		cert, key, err := ours.certify(fmt.Sprintf("bowl%d", id), fmt.Sprintf("10.99.0.%d", id))
		if err != nil {
			return err
		}
		g.flags[id] = []string{"--federation", "home", "--tls-ca", ours.ca(), "--tls-cert", cert, "--tls-key", key,
			"--nkey", g.keys[id], "--id", fmt.Sprint(id)}
	}
	if err := errors.Join(g.members[0].startDaemon(), g.members[1].startDaemon(), g.members[2].startDaemon("--buses", "3")); err != nil {
		return err
	}
	config, err := filepath.Abs(sample)
	if err != nil {
		return err
	}
	first, second := g.members[0], g.members[1]
	first.env = env
	args := append([]string{"serve", "--config", config, "--listen", ""}, g.flags[1]...)
	if first.limpet, err = first.start("kbus-limpet", args...); err != nil {
		return err
	}
	second.limpet, err = second.start("kbus-limpet", append([]string{"join", "--servers", gateURL}, g.flags[2]...)...)
	return err
}

const gateURL = "tls://10.99.0.1:4222"

// refused has member 3 try to join, and expects that it gives up with such words.
func (g *gate) refused(words string, args ...string) error {
	return g.ends(words, append([]string{"join"}, args...)...)
}

// ends is the same for any command.
func (g *gate) ends(words string, args ...string) error {
	b := g.members[2]
	_ = os.Remove(filepath.Join(b.dir, "kbus-limpet.log")) // of the try before
	p, err := b.launch("kbus-limpet", "", args...)
	if err != nil {
		return err
	}
	select {
	case <-p.gone:
	case <-time.After(patience):
		p.kill()
		return fmt.Errorf("kbus-limpet goes on, and says:\n%s", b.logged("kbus-limpet"))
	}
	logged := b.logged("kbus-limpet")
	if p.err == nil || !strings.Contains(logged, words) {
		return fmt.Errorf("ended with %v, without a word about %q:\n%s", p.err, words, logged)
	}
	lines := strings.Split(strings.TrimSpace(logged), "\n")
	fmt.Printf("    %s\n", lines[len(lines)-1])
	return nil
}

// with is the third member's flags with others in their place.
func (g *gate) with(changed ...string) []string {
	args := append([]string{"--servers", gateURL}, g.flags[3]...)
	return append(args, changed...)
}

// plainText: the server does not go on in plain text, so the Limpet does not; without --tls-ca it trusts nobody.
func (g *gate) plainText() error {
	if err := g.refused("would go in plain text", "--id", "3", "--federation", "home", "--servers", "nats://10.99.0.1:4222"); err != nil {
		return err
	}
	return g.refused("--tls-ca", "--id", "3", "--federation", "home", "--servers", "nats://10.99.0.1:4222", "--insecure")
}

func (g *gate) otherAuthority() error {
	return g.refused("authority", g.with("--tls-ca", g.other.ca())...)
}

func (g *gate) otherCertificate() error {
	cert, key, err := g.other.certify("bowl3", "10.99.0.3")
	if err != nil {
		return err
	}
	return g.refused("does not know these credentials", g.with("--tls-cert", cert, "--tls-key", key)...)
}

func (g *gate) otherKey() error {
	path := filepath.Join(g.dir, "stranger.nk")
	if err := exec.Command(filepath.Join(g.play.bin, "kbus-limpet"), "nkey", path).Run(); err != nil {
		return err
	}
	return g.refused("does not know these credentials", g.with("--nkey", path)...)
}

func (g *gate) otherID() error {
	return g.refused("does not let these credentials be bowl 2", g.with("--id", "2")...)
}

// noTLS: a server without it, asked for it.
func (g *gate) noTLS() error {
	b := g.members[2]
	open := []string{"serve", "--id", "9", "--federation", "plain", "--store", filepath.Join(g.dir, "plain"), "--listen",
		"10.99.0.3:4223"}
	if err := g.ends("everybody who reaches 10.99.0.3:4223", open...); err != nil {
		return err
	}
	server, err := b.launch("kbus-limpet", "", append(open, "--insecure")...)
	if err != nil {
		return err
	}
	defer server.kill()
	return g.refused("does not offer TLS", "--id", "8", "--federation", "plain", "--servers", "tls://10.99.0.3:4223",
		"--tls-ca", g.other.ca())
}

// equalIDs: another bus with the id of one that is alive.
func (g *gate) equalIDs() error {
	return g.refused("another bowl has id 2", append([]string{"--servers", gateURL}, g.flags[2]...)...)
}

// tooLittle: a server that takes less than a part of a message.
func (g *gate) tooLittle() error {
	config := filepath.Join(g.dir, "small.conf")
	text := fmt.Sprintf("listen: 10.99.0.3:4224\nmax_payload: 4095\njetstream { store_dir: %q }\n",
		filepath.Join(g.dir, "small"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	return g.ends("a federation needs 4096", "serve", "--id", "3", "--federation", "small", "--config", config, "--listen", "",
		"--insecure")
}

// ordered: the file lets a member order, on two more buses.
func (g *gate) ordered() error {
	ctx, stop := context.WithTimeout(g.play.ctx, patience)
	defer stop()
	b := g.members[2]
	limpet, err := b.start("kbus-limpet", append([]string{"join"}, g.asOrdered()...)...)
	if err != nil {
		return err
	}
	defer limpet.kill()
	listener, err := kbus.Open(ctx, 1, kbus.Dir(b.dir))
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := listener.Bind(ctx, "$.Home", kbus.Listener); err != nil {
		return err
	}
	sender, err := kbus.Open(ctx, 2, kbus.Dir(b.dir))
	if err != nil {
		return err
	}
	defer sender.Close()
	if _, err := sender.Call(ctx, kbus.Request("$.Home", "ordered")); err != nil {
		return err
	}
	m, err := listener.Receive(ctx)
	if err != nil || string(m.Data) != "ordered" {
		return fmt.Errorf("what was ordered is heard as %v: %w", m, err)
	}
	return nil
}

func (g *gate) asOrdered() []string {
	return append([]string{"--ordered", "--bus", "1", "--inlet", "2", "--servers", gateURL}, g.flags[3]...)
}

// orderedForAnother: the key of member 3 is no leave to order in the name of member 2.
func (g *gate) orderedForAnother() error {
	complaints := make(chan error, 10)
	nc, err := g.stranger(nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { complaints <- err }))
	if err != nil {
		return err
	}
	defer nc.Close()
	for _, subject := range []string{"kb.home.o.2", "kb.home.o.x"} {
		if err := nc.Publish(subject, []byte("mine")); err != nil {
			return err
		}
		select {
		case err := <-complaints:
			if !errors.Is(err, nats.ErrPermissionViolation) {
				return err
			}
			fmt.Printf("    %v\n", err)
		case <-time.After(patience):
			return fmt.Errorf("publishing to %s is allowed", subject)
		}
	}
	return g.refused("does not let these credentials be bowl 2", append(g.asOrdered(), "--id", "2")...)
}

// garbage: a member that is let in says what is no envelope. The others count it, and go on.
func (g *gate) garbage() error {
	if err := g.sendNonsense(); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(g.play.ctx, patience)
	defer stop()
	here, there := g.members[0], g.members[1]
	listener, err := here.open()
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := listener.Bind(ctx, "$.Still.Here", kbus.Listener); err != nil {
		return err
	}
	sender, err := there.open()
	if err != nil {
		return err
	}
	defer sender.Close()
	if _, err := sender.Send(ctx, kbus.Announcement("$.Still.Here", "")); err != nil {
		return err
	}
	if _, err := listener.Receive(ctx); err != nil {
		return fmt.Errorf("bowl 1 hears nothing any more: %w", err)
	}
	s, err := here.status()
	if err != nil {
		return err
	}
	if s.Refused != nonsense {
		return fmt.Errorf("of %d pieces of nonsense bowl 1 has dropped %d", nonsense, s.Refused)
	}
	fmt.Printf("    %d pieces of nonsense dropped\n", s.Refused)
	return nil
}
