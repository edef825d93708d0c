package subject

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kbus.example/kbus/message"
)

func TestSubjects(t *testing.T) {
	s, err := New("home")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{s.Announce(7, "$.A.B"), "kb.home.a.7.A.B"},
		{s.Announce(7, "$.*"), "kb.home.a.7.>"},
		{s.AllAnnouncements("$.A.B"), "kb.home.a.*.A.B"},
		{s.AllAnnouncements("$.my_app.do-it"), "kb.home.a.*.my_app.do-it"},
		{s.AllAnnouncements("$.A.%"), "kb.home.a.*.A.*"},
		{s.AllAnnouncements("$.A.*"), "kb.home.a.*.A.>"},
		{s.AllAnnouncements("$.*"), "kb.home.a.*.>"},
		{s.To(7, 8), "kb.home.to.7.8"},
		{s.Inbox(7), "kb.home.to.7.*"},
		{s.Count(7), "kb.home.n.7"},
		{Claim("$.A.B"), "dir.A.B"},
		{Claim("$.my_app.-.%"), "dir.my_app.-.=P"},
		{Claim("$.A.%"), "dir.A.=P"},
		{Claim("$.*"), "dir.=S"},
		{Member(7), "bowl.7"},
		{Lease(7), "lease.7"},
		{Inlet(7), "inlet.7"},
	} {
		if c[0] != c[1] {
			t.Errorf("%s, want %s", c[0], c[1])
		}
	}
	for subject, want := range map[string]uint32{
		s.Announce(7, "$.A"): 7, s.To(7, 8): 8, s.Count(9): 9, "kb.other.a.7.A": 0, "kb.home.a.x.A": 0,
		"kb.home.a.": 0, "": 0,
	} {
		if got := s.Sender(subject); got != want {
			t.Errorf("the sender of %s is %d, want %d", subject, got, want)
		}
	}
}

func TestFederationNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"home": true, "A-b_9": true, "": false, "a.b": false, "a b": false, "a*": false, "ä": false, "@": false, "{": false,
		strings.Repeat("x", 33): false,
	} {
		if _, err := New(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// Every binding has a key of its own and comes back from it.
func TestKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`\$(\.[a-zA-Z0-9_-]{1,3}){1,3}(\.[*%])?|\$\.[*%]`).Draw(t, "name")
		if message.CheckBinding(name) != message.OK {
			t.Skip()
		}
		if got, ok := Claimed(Claim(name)); !ok || got != name {
			t.Fatalf("%s came back as %s, %t", name, got, ok)
		}
	})
	for _, key := range []string{"", "dir.", "dir.=P.a", "bowl.7", "dir.a=S", "dir.a..b"} {
		if name, ok := Claimed(key); ok {
			t.Errorf("%q claims %s", key, name)
		}
	}
}
