package folder

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/toml"
	"kbus.example/kbus/message"
)

// Which keys a rule may have, and what may stand behind them. A key takes one value or a list of them. A rule that could never match, or would match more than
// it seems to say, is a mistake.

// draft is a rule under way.
type draft struct {
	rules.Rule
	keys    map[string]int // key -> line where it stands
	by      string         // of an expectation: the rule that decides
	written []string       // its keys with their values, as written
	bad     bool           // something in it is wrong, so it is not judged as a whole
}

// each value of a key.
type given struct {
	text     string
	number   bool
	written  string
	position toml.Position
}

func (p *parsing) keyValue(key string, at toml.Position, v toml.Value) {
	r := p.rule
	complain := func(at toml.Position, format string, args ...any) {
		r.bad = true
		p.mistakes.Add(at, format, args...)
	}
	if keys := p.grammar.keys; !slices.Contains(keys, key) {
		complain(at, "unknown key %q%s", key, toml.DidYouMean(key, keys...))
		return
	}
	if line, again := r.keys[key]; again {
		complain(at, "%s stands on line %d of this rule already", key, line)
		return
	}
	r.keys[key] = at.Line
	values, ok := values(v)
	if !ok {
		complain(at, "%s takes %s", key, takes(key))
		return
	}
	if len(values) == 0 {
		complain(at, "%s has an empty list%s", key, emptyMeans(key))
		return
	}
	var words []string
	for i, g := range values {
		words = append(words, g.text)
		if slices.ContainsFunc(values[:i], func(o given) bool { return o.text == g.text && o.number == g.number }) {
			complain(g.position, "%s has %s twice", key, g.written)
		} else if err := p.put(key, g); err != nil {
			complain(g.position, "%s: %v", key, err)
		}
	}
	r.written = append(r.written, key+" "+strings.Join(words, ", "))
}

func takes(key string) string {
	if key == "user" || key == "group" {
		return "a name or a number, or a list of them"
	}
	return "a string, or a list of strings"
}

func emptyMeans(key string) string {
	if key == "allow" || key == "deny" {
		return ": name what the rule is about"
	}
	return ", which would match nothing: leave the key out if it does not matter"
}

// values is what stands behind a key.
func values(v toml.Value) (list []given, ok bool) {
	all := v.List
	if v.Kind != toml.List {
		all = []toml.Value{v}
	}
	for _, v := range all {
		g := given{text: v.Text, position: v.At, number: v.Kind == toml.Number, written: strconv.Quote(v.Text)}
		if g.number {
			g.written = g.text
		}
		if v.Kind != toml.Text && !g.number {
			return nil, false
		}
		list = append(list, g)
	}
	return list, true
}

// put adds one value to the rule.
func (p *parsing) put(key string, g given) error {
	r := p.rule
	if g.number && key != "user" && key != "group" {
		return fmt.Errorf("takes a string, not %s", g.text)
	}
	switch key {
	case "allow", "deny":
		o, known := rules.OperationBy(g.text)
		if !known {
			return fmt.Errorf("unknown operation %q%s", g.text, toml.DidYouMean(g.text, rules.Operations()...))
		}
		r.Allow = key == "allow"
		r.Operations = append(r.Operations, o)
	case "name":
		if c := message.CheckBinding(g.text); c != message.OK {
			return fmt.Errorf("%q: %v", g.text, c)
		}
		r.Names = append(r.Names, g.text)
	case "user":
		return identify(&r.Users, g, p.who.User)
	case "group":
		return identify(&r.Groups, g, p.who.Group)
	case "program":
		if err := CheckProgram(g.text); err != nil {
			return err
		}
		r.Programs = append(r.Programs, g.text)
	case "unit":
		if err := CheckUnit(g.text); err != nil {
			return err
		}
		r.Units = append(r.Units, g.text)
	case "rule":
		r.by = g.text
	}
	return nil
}

// CheckProgram says what is wrong with the path of a program.
func CheckProgram(text string) error {
	if !path.IsAbs(text) || path.Clean(text) != text {
		return fmt.Errorf("must be the whole path of a program, not %q", text)
	}
	return nil
}

// CheckUnit says what is wrong with a unit, or with the path of a control group.
func CheckUnit(text string) error {
	switch {
	case strings.HasPrefix(text, "/"):
		if path.Clean(text) != text || text == "/" {
			return fmt.Errorf("must be the path of a control group without a / at its end, not %q", text)
		}
		return nil
	case strings.HasSuffix(text, ".slice"):
		return fmt.Errorf("of a slice write the path of its control group, for instance \"/system.slice\", not %q", text)
	case strings.Contains(text, "/") || !strings.HasSuffix(text, ".service") && !strings.HasSuffix(text, ".scope"):
		return fmt.Errorf("must be the name of a unit with its .service or .scope, or the path of a control group, not %q", text)
	}
	return nil
}

// identify adds the number of a user or group.
func identify(list *[]uint32, g given, numberOf func(string) (uint32, error)) (err error) {
	var id uint32
	if g.number {
		if id, err = parseID(g.text, 0); err != nil {
			return fmt.Errorf("%s is %v", g.text, err)
		}
	} else if id, err = numberOf(g.text); err != nil {
		return err
	}
	*list = append(*list, id)
	return nil
}

// strangers is the number that the kernel shows for every user and group without a number of its own here, as in containers.
const strangers = 65534

// endRule judges a rule as a whole.
func (p *parsing) endRule() {
	r := p.rule
	p.rule = nil
	if r == nil {
		return
	}
	_, allows := r.keys["allow"]
	_, denies := r.keys["deny"]
	complain := func(format string, args ...any) {
		r.bad = true
		p.mistakes.Add(toml.Position(r.Position), format, args...)
	}
	switch {
	case allows && denies:
		complain("a %s has allow or deny, not both: make two of it", p.grammar.table)
	case !allows && !denies:
		if !r.bad {
			complain("the %s has neither allow nor deny", p.grammar.table)
		}
	case len(r.Names) > 0:
		for _, o := range r.Operations {
			if !o.HasName() {
				complain("%v has no name: give it a %s of its own, without name", o, p.grammar.table)
			}
		}
	}
	if p.grammar.table == ofRules.table && allows && (slices.Contains(r.Users, strangers) || slices.Contains(r.Groups, strangers)) {
		complain("%d is every user or group of a container that has no number here, so nothing can be allowed to it", strangers)
	}
	if !r.bad {
		r.Written = strings.Join(r.written, "; ")
		p.drafts = append(p.drafts, r)
	}
}
