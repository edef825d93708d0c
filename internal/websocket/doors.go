package websocket

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/message"
)

// The file of doors. Patterns and decisions are those of access rules: each list is a rule that allows. There is nothing to
// deny, for what is not named is not allowed.

// NoOrigin is what a door calls the origin of programs that are no browsers and send none.
const NoOrigin = "none"

// Door is what may be done by whom.
type Door struct {
	Origin      string
	Buses       []uint32
	Connections int // most at a time

	law      *rules.Law
	position rules.Position
	token    [sha256.Size]byte
}

// String says where it stands.
func (d *Door) String() string { return "door " + d.position.String() }

const (
	defaultConnections = 16
	mostConnections    = 1000
	mostDoors          = 1000
	mostFileBytes      = 1 << 20
)

// Load reads a file of doors, and the tokens that it names, whose paths begin where the file is. An error has a line for each thing
// that is wrong, with the line where it is.
func Load(path string) ([]*Door, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(text) > mostFileBytes {
		return nil, fmt.Errorf("%s: %d bytes, %d are the most", path, len(text), mostFileBytes)
	}
	list, wrong, err := read(path, text)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 && len(wrong) == 0 || len(list) > mostDoors {
		return nil, fmt.Errorf("%s: a file of doors has tables [[door]], at least one and %d at most", path, mostDoors)
	}
	doors := make([]*Door, len(list))
	for i := range list {
		doors[i] = list[i].door(filepath.Dir(path), &wrong)
	}
	return doors, wrong.asError()
}

// door checks what is written.
func (w *written) door(dir string, wrong *mistakes) *Door {
	d := &Door{Origin: w.text("origin", wrong), Buses: w.numbers("bus", wrong), Connections: defaultConnections, position: w.at("")}
	if err := checkOrigin(d.Origin); err != nil {
		w.complain(wrong, "origin", "%v", err)
	}
	if len(d.Buses) == 0 {
		w.complain(wrong, "bus", "say for which buses the door is, as in bus = [0]")
	}
	if n := w.number("connections", wrong); n != 0 {
		d.Connections = int(n)
		if n < 1 || n > mostConnections {
			w.complain(wrong, "connections", "it must be from 1 to %d", mostConnections)
		}
	}
	token, err := readToken(dir, w.text("token-file", wrong))
	if err != nil {
		w.complain(wrong, "token-file", "%v", err)
	}
	d.token = sha256.Sum256([]byte(token))
	set := &rules.Set{}
	for _, operation := range operations {
		key := operation.String()
		names := w.texts(key, wrong)
		for _, name := range names {
			if message.CheckBinding(name) != message.OK {
				w.complain(wrong, key, "%q: %s", name, message.NameFault([]byte(name), false, true))
				break
			}
		}
		if len(names) > 0 { // a rule without names would be for all
			set.Rules = append(set.Rules, rules.Rule{Allow: true, Operations: []rules.Operation{operation}, Names: names, Position: w.at(key)})
		}
	}
	if len(set.Rules) == 0 && !w.spoilt {
		w.complain(wrong, "origin", "the door allows nothing: give it send, listen, request or reply")
	}
	d.law = rules.NewLaws(set).For(&rules.Identity{})
	return d
}

// operations are what a door can allow; their keys are their names.
var operations = []rules.Operation{rules.Send, rules.Listen, rules.Request, rules.Reply}

// checkOrigin wants it as browsers write it.
func checkOrigin(origin string) error {
	if origin == NoOrigin {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || origin != u.Scheme+"://"+strings.ToLower(u.Host) {
		return fmt.Errorf("it must be as browsers write it, such as https://panel.example, without a path, or %q for programs that send none; not %q", NoOrigin, origin)
	}
	return nil
}

var tokenForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{16,256}$`)

// readToken reads a file that has a token and nothing else.
func readToken(dir, name string) (string, error) {
	if name == "" {
		return "", errors.New("name the file that has the token of this door")
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	info, err := os.Stat(name)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o007 != 0 {
		return "", fmt.Errorf("everybody can read or write %s: chmod o= %[1]s", name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	if !tokenForm.MatchString(token) {
		return "", fmt.Errorf("%s must have one token of 16 to 256 letters, digits, and . _ ~ -, such as `openssl rand -hex 32` makes", name)
	}
	return token, nil
}

// find gives the door for an origin and a token, nil if there is none. It takes as long for a wrong token as for the right one.
func find(doors []*Door, origin, token string) (found *Door) {
	if origin == "" {
		origin = NoOrigin
	}
	sum := sha256.Sum256([]byte(token))
	for _, d := range doors {
		if subtle.ConstantTimeCompare(sum[:], d.token[:]) == 1 && d.Origin == origin && found == nil {
			found = d
		}
	}
	return found
}
