package websocket

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

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

// written is a door as its file has it.
type written struct {
	Origin      string   `toml:"origin"`
	TokenFile   string   `toml:"token-file"`
	Bus         []uint32 `toml:"bus"`
	Send        []string `toml:"send"`
	Listen      []string `toml:"listen"`
	Request     []string `toml:"request"`
	Reply       []string `toml:"reply"`
	Connections int      `toml:"connections"`
}

const (
	defaultConnections = 16
	mostConnections    = 1000
	mostDoors          = 1000
	mostFileBytes      = 1 << 20
)

// Load reads a file of doors, and the tokens that it names, whose paths begin where the file is. An error says what is wrong, and
// on which line.
func Load(path string) ([]*Door, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(text) > mostFileBytes {
		return nil, fmt.Errorf("%s: %d bytes, %d are the most", path, len(text), mostFileBytes)
	}
	var file struct {
		Door []written `toml:"door"`
	}
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&file); err != nil {
		return nil, explained(path, err)
	}
	positions := positionsIn(path, text)
	if len(file.Door) != len(positions) || len(positions) == 0 || len(positions) > mostDoors {
		return nil, fmt.Errorf("%s: a file of doors has tables [[door]], at least one and %d at most", path, mostDoors)
	}
	doors := make([]*Door, len(positions))
	for i, w := range file.Door {
		if doors[i], err = w.door(filepath.Dir(path), positions[i]); err != nil {
			return nil, err
		}
	}
	return doors, nil
}

// explained puts the position before what the decoder says.
func explained(path string, err error) error {
	var unknown *toml.StrictMissingError
	var wrong *toml.DecodeError
	switch {
	case errors.As(err, &unknown):
		wrong = &unknown.Errors[0]
		row, _ := wrong.Position()
		return fmt.Errorf("%s:%d: unknown key %q; known are origin, token-file, bus, send, listen, request, reply, connections",
			path, row, strings.Join(wrong.Key(), "."))
	case errors.As(err, &wrong):
		row, _ := wrong.Position()
		return fmt.Errorf("%s:%d: %v", path, row, wrong)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// positions are the lines of a door: of its keys, and of its head, "".
type positions map[string]rules.Position

func positionsIn(path string, text []byte) (list []positions) {
	var p unstable.Parser
	p.Reset(text)
	for p.NextExpression() {
		e := p.Expression()
		if e.Kind == unstable.ArrayTable {
			list = append(list, positions{})
		}
		key := e.Key()
		if len(list) == 0 || !key.Next() {
			continue
		}
		at := rules.Position{File: path, Line: 1 + bytes.Count(text[:key.Node().Raw.Offset], []byte{'\n'})}
		if e.Kind == unstable.ArrayTable {
			list[len(list)-1][""] = at
		} else {
			list[len(list)-1][string(key.Node().Data)] = at
		}
	}
	return list
}

// door checks what is written.
func (w *written) door(dir string, at positions) (*Door, error) {
	d := &Door{Origin: w.Origin, Buses: w.Bus, Connections: w.Connections, position: at[""]}
	wrong := func(key, format string, args ...any) error {
		position := at[key]
		if position.Line == 0 {
			position = at[""]
		}
		return fmt.Errorf("%v: %s: %s", position, key, fmt.Sprintf(format, args...))
	}
	if err := checkOrigin(w.Origin); err != nil {
		return nil, wrong("origin", "%v", err)
	}
	if len(w.Bus) == 0 {
		return nil, wrong("bus", "say for which buses the door is, as in bus = [0]")
	}
	if d.Connections == 0 {
		d.Connections = defaultConnections
	}
	if d.Connections < 1 || d.Connections > mostConnections {
		return nil, wrong("connections", "it must be from 1 to %d", mostConnections)
	}
	token, err := readToken(dir, w.TokenFile)
	if err != nil {
		return nil, wrong("token-file", "%v", err)
	}
	d.token = sha256.Sum256([]byte(token))
	set := &rules.Set{}
	for _, list := range []struct {
		operation rules.Operation
		names     []string
	}{{rules.Send, w.Send}, {rules.Listen, w.Listen}, {rules.Request, w.Request}, {rules.Reply, w.Reply}} {
		key := list.operation.String()
		for _, name := range list.names {
			if message.CheckBinding(name) != message.OK {
				return nil, wrong(key, "%q: %s", name, message.NameFault([]byte(name), false, true))
			}
		}
		if len(list.names) > 0 { // a rule without names would be for all
			set.Rules = append(set.Rules, rules.Rule{Allow: true, Operations: []rules.Operation{list.operation}, Names: list.names, Position: at[key]})
		}
	}
	if len(set.Rules) == 0 {
		return nil, wrong("origin", "the door allows nothing: give it send, listen, request or reply")
	}
	d.law = rules.NewLaws(set).For(&rules.Identity{})
	return d, nil
}

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
