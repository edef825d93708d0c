package rules

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The same again from the manual and without cleverness: all rules are gone through from the first to the last, and the last
// that matches has decided. It shares no code with what it is compared with, not even the matching of names: a pattern is
// words, and is asked about by trying every name of a small world.

type naive struct{ rules []Rule }

func (n naive) allows(who *Identity, q Question) bool {
	verdict := false
	for _, r := range n.rules {
		about := false
		for _, o := range r.Operations {
			about = about || o.String() == q.Operation.String()
		}
		if !about || !n.nameMatches(r.Names, q.Name) {
			continue
		}
		sure, doubt := true, false
		condition := func(given bool, known, holds bool) {
			switch {
			case !given:
			case !known:
				doubt = true
			case !holds:
				sure = false
			}
		}
		condition(r.Users != nil, true, slices.Contains(r.Users, who.UID))
		inGroup := false
		for _, g := range who.Groups {
			inGroup = inGroup || slices.Contains(r.Groups, g)
		}
		condition(r.Groups != nil, true, inGroup)
		condition(r.Programs != nil, who.Program != "", slices.Contains(r.Programs, who.Program))
		inUnit := false
		for _, u := range r.Units {
			if u[0] == '/' {
				inUnit = inUnit || strings.HasPrefix(who.Cgroup+"/", u+"/")
			} else {
				for _, part := range strings.Split(who.Cgroup, "/") {
					if part == "" || strings.Contains(part, ".slice") {
						continue
					}
					inUnit = inUnit || part == u
					break
				}
			}
		}
		condition(r.Units != nil, who.Cgroup != "", inUnit)
		if sure && (!doubt || !r.Allow) {
			verdict = r.Allow
		}
	}
	return verdict
}

func (naive) nameMatches(patterns []string, name string) bool {
	if patterns == nil {
		return true
	}
	return slices.ContainsFunc(patterns, func(p string) bool {
		matches, known := found[[2]string{p, name}]
		if !known {
			matches = matchWords(strings.Split(p, "."), strings.Split(name, "."))
			found[[2]string{p, name}] = matches
		}
		return matches
	})
}

// found is which pattern matches which name, for the world is small and ten million decisions are many.
var found = map[[2]string]bool{}

func matchWords(pattern, name []string) bool {
	n := len(pattern) - 1
	return pattern[n] == "*" && len(name) > n && slices.Equal(pattern[:n], name[:n]) ||
		pattern[n] == "%" && len(name) == n+1 && slices.Equal(pattern[:n], name[:n]) ||
		slices.Equal(pattern, name)
}

// world is all names of up to five words of three, of which no rule knows the third.
var world = func() (names []string) {
	level := []string{"$"}
	for range 5 {
		var next []string
		for _, n := range level {
			for _, w := range []string{"a", "b", "z"} {
				next = append(next, n+"."+w)
			}
		}
		names = append(names, next...)
		level = next
	}
	return names
}()

// may is the naive answer, also for patterns.
func (n naive) may(who *Identity, q Question) bool {
	if !strings.HasSuffix(q.Name, "*") && !strings.HasSuffix(q.Name, "%") {
		return n.allows(who, q)
	}
	any, all := false, true
	for _, name := range world {
		if n.nameMatches([]string{q.Name}, name) {
			yes := n.allows(who, Question{q.Operation, name})
			any, all = any || yes, all && yes
		}
	}
	if q.Operation == Listen {
		return any
	}
	return all
}

type source struct{ *rand.Rand }

func (s source) words(most int, known ...string) string {
	name := "$"
	for range 1 + s.IntN(most) {
		name += "." + known[s.IntN(len(known))]
	}
	return name
}

func (s source) pattern() string {
	switch s.IntN(5) {
	case 0:
		return "$.*"
	case 1, 2:
		return s.words(2, "a", "b") + "." + []string{"*", "%"}[s.IntN(2)]
	}
	return s.words(3, "a", "b")
}

func some[T any](s source, all ...T) []T {
	if s.IntN(3) > 0 {
		return nil
	}
	var list []T
	for range 1 + s.IntN(2) {
		list = append(list, all[s.IntN(len(all))])
	}
	return list
}

func (s source) rules() (list []Rule) {
	for i := range s.IntN(9) {
		r := Rule{Allow: s.IntN(2) == 0, Position: Position{"f", i, 1}}
		for range 1 + s.IntN(3) {
			r.Operations = append(r.Operations, Operation(s.IntN(int(named))))
		}
		if s.IntN(6) == 0 {
			r.Operations = []Operation{Operation(s.IntN(int(operations)))}
		}
		if s.IntN(5) > 0 && r.Operations[0].HasName() {
			for range 1 + s.IntN(2) {
				r.Names = append(r.Names, s.pattern())
			}
		}
		r.Users = some(s, uint32(1), 2, 3)
		r.Groups = some(s, uint32(10), 20)
		r.Programs = some(s, "/bin/a", "/bin/b")
		r.Units = some(s, "a.service", "/system.slice", "/system.slice/b.service/in")
		list = append(list, r)
	}
	return list
}

func (s source) identity() *Identity {
	who := &Identity{UID: uint32(s.IntN(4)), Groups: []uint32{uint32(10 * s.IntN(3))}}
	if s.IntN(2) == 0 {
		who.Groups = append(who.Groups, uint32(10*s.IntN(3)))
	}
	who.Program = []string{"", "/bin/a", "/bin/c"}[s.IntN(3)]
	who.Cgroup = []string{"", "/system.slice/a.service", "/system.slice/b.service/in/deep", "/user.slice/x.scope"}[s.IntN(4)]
	return who
}

func (s source) question() Question {
	q := Question{Operation: Operation(s.IntN(int(operations)))}
	switch {
	case !q.Operation.HasName():
	case (q.Operation == Listen || q.Operation == Reply) && s.IntN(3) == 0:
		q.Name = s.pattern()
	default:
		q.Name = s.words(4, "a", "b", "z")
	}
	return q
}

// TestAgainstNaive compares as many random decisions as KBUS_RULES_DECISIONS says, or few.
func TestAgainstNaive(t *testing.T) {
	decisions := 200_000
	if n, err := strconv.Atoi(os.Getenv("KBUS_RULES_DECISIONS")); err == nil {
		decisions = n
	}
	seed := uint64(1)
	if n, err := strconv.ParseUint(os.Getenv("KBUS_RULES_SEED"), 10, 64); err == nil {
		seed = n
	}
	s := source{rand.New(rand.NewPCG(seed, 2))}
	yes, patterns := 0, 0
	for done := 0; done < decisions; {
		list := s.rules()
		set := &Set{list}
		laws := NewLaws(set)
		for range 8 {
			who := s.identity()
			var judge Judge
			law := laws.For(who)
			judge.Use(law, nil)
			for range 8 {
				q := s.question()
				want := naive{list}.may(who, q)
				if len(list) == 0 {
					want = true // no rules: everything is allowed
				}
				got := ask(&judge, q)
				if got != want {
					t.Fatalf("after %d decisions: %v for %v: %v, want %v\n%s", done, q, who, got, want, show(list))
				}
				if law != nil {
					if d := law.Decide(q); d.Allow != want || d.Allow && d.Rule == nil || d.Rule != nil && d.Rule.Allow != want {
						t.Fatalf("%v for %v: decision %v, want %v\n%s", q, who, d, want, show(list))
					}
				}
				done++
				if want {
					yes++
				}
				if strings.HasSuffix(q.Name, "*") || strings.HasSuffix(q.Name, "%") {
					patterns++
				}
			}
		}
	}
	if yes < decisions/10 || yes > decisions*9/10 || patterns < decisions/40 {
		t.Errorf("of %d decisions %d were yes, and %d about patterns: this proves little", decisions, yes, patterns)
	}
}

func ask(j *Judge, q Question) bool {
	name := []byte(q.Name)
	exact := !strings.HasSuffix(q.Name, "*") && !strings.HasSuffix(q.Name, "%")
	switch q.Operation {
	case Send:
		return j.MaySend(name)
	case Request:
		return j.MayAsk(name)
	case Listen:
		if exact && j.MayReceive(name) != j.MayListen(q.Name) {
			panic("to hear a name and to bind it are two things")
		}
		return j.MayListen(q.Name)
	case Reply:
		return j.MayReply(q.Name)
	case Open:
		return j.MayOpen()
	case Tap:
		return j.MayTap()
	case Administer:
		return j.MayAdminister()
	case Limpet:
		return j.MayJoin()
	}
	return j.MayMakeBuses()
}

func show(list []Rule) string {
	var b strings.Builder
	for i := range list {
		fmt.Fprintln(&b, &list[i])
	}
	return b.String()
}

func TestRefusalNamesItsRule(t *testing.T) {
	set := &Set{[]Rule{
		{Allow: true, Operations: []Operation{Send}, Position: Position{"10.toml", 1, 1}},
		{Operations: []Operation{Send}, Names: []string{"$.A.*"}, Position: Position{"10.toml", 4, 1}},
	}}
	var heard []string
	var j Judge
	j.Use(NewLaws(set).For(&Identity{UID: 7}), func(r Refusal) { heard = append(heard, r.String()) })
	if !j.MaySend([]byte("$.B")) || j.MaySend([]byte("$.A.B")) || j.MayAsk([]byte("$.B")) {
		t.Error("wrong answers")
	}
	want := []string{
		"rule 10.toml:4 denies to send $.A.B",
		"no rule allows to send the Request $.B, and with rules what none allows is denied",
	}
	if !slices.Equal(heard, want) || j.Refused() != want[1] {
		t.Errorf("heard %q", heard)
	}
}

// TestAskingAllocatesNothing: on the way of a message a yes is free, also when names alternate.
func TestAskingAllocatesNothing(t *testing.T) {
	var list []Rule
	for i := range 1000 {
		list = append(list, Rule{Allow: true, Operations: []Operation{Send, Listen}, Names: []string{"$.Some.Name" + strconv.Itoa(i) + ".*"}})
	}
	list = append(list, Rule{Allow: true, Operations: []Operation{Send, Listen}, Names: []string{"$.*"}})
	var j Judge
	j.Use(NewLaws(&Set{list}).For(&Identity{}), nil)
	one, two := []byte("$.Some.Name.Of.Words"), []byte("$.Some.Other")
	if n := testing.AllocsPerRun(100, func() {
		if !j.MaySend(one) || !j.MayReceive(two) || !j.MaySend(two) {
			t.Error("no")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkMaySend(b *testing.B) {
	for _, n := range []int{1, 1000} {
		for _, same := range []bool{true, false} {
			b.Run(fmt.Sprintf("rules=%d/same=%v", n, same), func(b *testing.B) {
				var list []Rule
				for i := range n {
					list = append(list, Rule{Allow: true, Operations: []Operation{Send}, Names: []string{fmt.Sprintf("$.A.B%d.*", i)}})
				}
				var j Judge
				j.Use(NewLaws(&Set{list}).For(&Identity{}), nil)
				names := [][]byte{[]byte("$.A.B0.C"), []byte("$.A.B0.D")}
				for i := 0; b.Loop(); i++ {
					if same {
						i = 0
					}
					if !j.MaySend(names[i&1]) {
						b.Fatal("no")
					}
				}
			})
		}
	}
}

// DecideAll wants all names of a pattern allowed, as Decide does of a Replier; of one name both say the same.
func TestDecideAll(t *testing.T) {
	law := newLaw(&Set{[]Rule{
		{Allow: true, Operations: []Operation{Listen, Reply}, Names: []string{"$.A.*"}},
		{Operations: []Operation{Listen, Reply}, Names: []string{"$.A.B.%"}},
		{Allow: true, Operations: []Operation{Listen, Reply}, Names: []string{"$.A.B.C"}},
	}}, []int32{0, 1, 2})
	for _, name := range []string{"$.A.*", "$.A.%", "$.A.B.%", "$.A.B.C", "$.A.B.D", "$.A.D.*", "$.*", "$.B"} {
		all, replier := law.DecideAll(Question{Listen, name}), law.Decide(Question{Reply, name})
		if all.Allow != replier.Allow {
			t.Errorf("%s: %v for a Listener to all, %v for a Replier", name, all.Allow, replier.Allow)
		}
	}
	if some, all := law.Decide(Question{Listen, "$.A.B.%"}), law.DecideAll(Question{Listen, "$.A.B.%"}); !some.Allow || all.Allow {
		t.Errorf("some %v, all %v", some.Allow, all.Allow)
	}
}
