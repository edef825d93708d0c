// Package folder reads services (package services) from a directory of TOML files, one service a file. All mistakes in all
// files are found at once, each with file, line and column, and with any mistake there are no services at all.
package folder

import (
	"fmt"
	"os"
	"os/user"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"kbus.example/kbus/internal/services"
	"kbus.example/kbus/internal/toml"
	"kbus.example/kbus/message"
)

// Limits of what can be configured.
const (
	mostNames     = 10_000
	leastDeadline = 10 * time.Millisecond
	mostDeadline  = time.Hour
	mostBus       = 255
)

// Users finds out who a program runs as. Either may be empty: the daemon's own.
type Users interface {
	Find(user, group string) (*services.Identity, error)
}

// Load reads the services in a directory. The error is toml.Mistakes, or that of reading it, which is fs.ErrNotExist when there
// is no such directory.
func Load(dir string, users Users) (*services.Set, error) {
	files, err := toml.Read(dir)
	if err != nil {
		return nil, err
	}
	return Parse(files, users)
}

// Parse finds the services in files. The error is toml.Mistakes.
func Parse(files []toml.File, users Users) (*services.Set, error) {
	set := &services.Set{}
	var all toml.Mistakes
	taken := map[string]toml.Position{} // bus and name -> where
	for _, f := range files {
		p := parsing{users: users, taken: taken, keys: map[string]toml.Position{},
			service: services.Service{Deadline: services.DefaultDeadline, File: f.Name}}
		p.parse(f)
		all = append(all, p.mistakes...)
		set.Services = append(set.Services, &p.service)
	}
	if len(taken) > mostNames {
		all.Add(toml.Position{File: files[len(files)-1].Name, Line: 1, Column: 1}, "%d names, %d are the most", len(taken), mostNames)
	}
	if len(all) > 0 {
		return nil, all
	}
	return set, nil
}

// parsing is one file that is being read.
type parsing struct {
	users    Users
	taken    map[string]toml.Position
	keys     map[string]toml.Position // where they stand
	mistakes toml.Mistakes
	service  services.Service
	names    []toml.Value
	user     string
	group    string
}

var keys = []string{"name", "names", "exec", "unit", "user", "group", "deadline", "bus"}

func (p *parsing) parse(f toml.File) {
	var entries []toml.Entry
	entries, p.mistakes = toml.Parse(f)
	for i := range entries {
		e := &entries[i]
		key := e.Key()
		before, again := p.keys[key]
		switch {
		case e.Header:
			p.mistakes.Add(e.At, "[%s]: a service has no tables, only keys", key)
		case !slices.Contains(keys, key):
			p.mistakes.Add(e.At, "unknown key %q%s", key, toml.DidYouMean(key, keys...))
		case again:
			p.mistakes.Add(e.At, "%s stands on line %d already", key, before.Line)
		default:
			p.keys[key] = e.At
			p.put(key, e.Value)
		}
	}
	if len(p.mistakes) == 0 { // else what is not there may be what is written wrongly
		p.missing(toml.Position{File: f.Name, Line: 1, Column: 1})
	}
	p.whole()
	p.mistakes.Sort()
}

// texts are the strings of a value: one, or a list of some.
func (p *parsing) texts(key string, v toml.Value, takes string) (list []toml.Value) {
	list = v.List
	if v.Kind != toml.List {
		list = []toml.Value{v}
	}
	for _, one := range list {
		if one.Kind != toml.Text {
			p.mistakes.Add(one.At, "%s takes %s", key, takes)
			return nil
		}
		if strings.ContainsRune(one.Text, 0) {
			p.mistakes.Add(one.At, "%s: there is a zero byte in it", key)
			return nil
		}
	}
	if len(list) == 0 {
		p.mistakes.Add(v.At, "%s has an empty list", key)
	}
	return list
}

func (p *parsing) text(key string, v toml.Value) string {
	if v.Kind == toml.List {
		p.mistakes.Add(v.At, "%s takes a string", key)
		return ""
	}
	if list := p.texts(key, v, "a string"); len(list) > 0 {
		return list[0].Text
	}
	return ""
}

func (p *parsing) put(key string, v toml.Value) {
	switch key {
	case "name":
		before := len(p.mistakes)
		if p.text(key, v); len(p.mistakes) == before {
			p.names = append(p.names, v)
		}
	case "names":
		if v.Kind != toml.List {
			p.mistakes.Add(v.At, "names takes a list of names; of a single one write name")
			return
		}
		p.names = append(p.names, p.texts(key, v, "a list of names")...)
	case "exec":
		p.exec(v)
	case "unit":
		p.service.Unit = p.text(key, v)
		if u := p.service.Unit; v.Kind == toml.Text && (!strings.HasSuffix(u, ".service") || strings.ContainsAny(u, "/ ") || u[0] == '-') {
			p.mistakes.Add(v.At, "unit: must be the name of a unit with its .service, not %q", u)
		}
	case "user":
		p.user = p.userOrGroup(key, v)
	case "group":
		p.group = p.userOrGroup(key, v)
	case "deadline":
		text := p.text(key, v)
		d, err := time.ParseDuration(text)
		switch {
		case v.Kind != toml.Text:
		case err != nil:
			p.mistakes.Add(v.At, "deadline: %q is no duration; write for instance \"5s\"", text)
		case d < leastDeadline || d > mostDeadline:
			p.mistakes.Add(v.At, "deadline must be %v to %v, not %v", leastDeadline, mostDeadline, d)
		}
		p.service.Deadline = d
	case "bus":
		n, err := strconv.ParseUint(v.Text, 0, 32)
		if v.Kind != toml.Number || err != nil || n > mostBus {
			p.mistakes.Add(v.At, "bus takes the number of a bus, 0 to %d", mostBus)
		}
		p.service.Bus = int(n)
	}
}

func (p *parsing) exec(v toml.Value) {
	if v.Kind != toml.List {
		p.mistakes.Add(v.At, "exec takes a list, the program and its arguments, for instance [\"/usr/bin/door\", \"--bus\", \"0\"]: no shell reads it")
		return
	}
	list := p.texts("exec", v, "a list of strings")
	for _, word := range list {
		p.service.Exec = append(p.service.Exec, word.Text)
	}
	if len(list) > 0 && (!path.IsAbs(list[0].Text) || path.Clean(list[0].Text) != list[0].Text) {
		p.mistakes.Add(list[0].At, "exec: must begin with the whole path of a program, not %q", list[0].Text)
	}
}

// userOrGroup takes a number, too.
func (p *parsing) userOrGroup(key string, v toml.Value) string {
	if v.Kind == toml.Number {
		return v.Text
	}
	text := p.text(key, v)
	if text == "" && v.Kind == toml.Text {
		p.mistakes.Add(v.At, "%s is empty", key)
	}
	return text
}

// missing says what a service lacks; begin is where its file begins.
func (p *parsing) missing(begin toml.Position) {
	if !p.has("name") && !p.has("names") {
		p.mistakes.Add(begin, "the service has no name")
	}
	if !p.has("exec") && !p.has("unit") {
		p.mistakes.Add(begin, "the service has neither exec nor unit, so there is nothing to start")
	}
}

func (p *parsing) has(key string) bool { _, is := p.keys[key]; return is }

// whole judges what there is of a service, taken together.
func (p *parsing) whole() {
	s := &p.service
	for _, two := range [][2]string{{"name", "names"}, {"exec", "unit"}} {
		if p.has(two[0]) && p.has(two[1]) {
			p.mistakes.Add(p.keys[two[1]], "a service has %s or %s, not both", two[0], two[1])
		}
	}
	for _, n := range p.names {
		p.name(n)
	}
	at, asks := p.keys["user"]
	if !asks {
		at, asks = p.keys["group"]
	}
	switch {
	case !asks:
	case p.has("unit"):
		p.mistakes.Add(at, "whom the unit %s runs as is for the unit to say", s.Unit)
	case p.user != "" || p.group != "":
		who, err := p.users.Find(p.user, p.group)
		if err != nil {
			p.mistakes.Add(at, "%v", err)
		}
		s.As = who
	}
}

func (p *parsing) name(n toml.Value) {
	c := message.CheckName(n.Text)
	switch {
	case c != message.OK && message.CheckBinding(n.Text) == message.OK:
		p.mistakes.Add(n.At, "%q: a service is started for exact names, without wildcards", n.Text)
		return
	case c != message.OK:
		p.mistakes.Add(n.At, "%q: %v", n.Text, c)
		return
	case n.Text == message.NameReplierBindEvent:
		p.mistakes.Add(n.At, "%s has no Replier but the bus", n.Text)
		return
	}
	key := fmt.Sprintf("%d %s", p.service.Bus, n.Text)
	if before, taken := p.taken[key]; taken {
		p.mistakes.Add(n.At, "%s has a service already: %v", n.Text, before)
		return
	}
	p.taken[key] = n.At
	p.service.Names = append(p.service.Names, n.Text)
}

// Here finds users and groups of this machine. Only a daemon of root can start programs as another user.
type Here struct{}

// Find is for Users.
func (Here) Find(name, group string) (*services.Identity, error) {
	if name == "" {
		name = strconv.Itoa(os.Geteuid())
	}
	u, err := user.Lookup(name)
	if err != nil {
		if u, err = user.LookupId(name); err != nil {
			return nil, fmt.Errorf("user: this machine has no user %q", name)
		}
	}
	gid := u.Gid
	if group != "" {
		g, err := user.LookupGroup(group)
		if err != nil {
			if g, err = user.LookupGroupId(group); err != nil {
				return nil, fmt.Errorf("group: this machine has no group %q", group)
			}
		}
		gid = g.Gid
	}
	who := &services.Identity{User: u.Username, Home: u.HomeDir, UID: number(u.Uid), GID: number(gid)}
	if os.Geteuid() != 0 {
		if who.UID == uint32(os.Geteuid()) && who.GID == uint32(os.Getegid()) {
			return nil, nil // as it is
		}
		return nil, fmt.Errorf("user %q, group %q: only a daemon of root can start a program as another user", name, gid)
	}
	ids, _ := u.GroupIds()
	for _, id := range ids {
		who.Groups = append(who.Groups, number(id))
	}
	return who, nil
}

func number(id string) uint32 {
	n, _ := strconv.ParseUint(id, 10, 32)
	return uint32(n)
}

// Elsewhere is for files of another machine: everybody is known there.
type Elsewhere struct{}

// Find is for Users.
func (Elsewhere) Find(string, string) (*services.Identity, error) { return nil, nil }
