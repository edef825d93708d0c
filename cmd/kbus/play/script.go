package play

import "fmt"

// The play, as data. What the actors do and see is KBUS's own introduction; a beat is one thing that happens, in the
// order in which it happens. The words between are ours.

type scene struct {
	title   string
	caption string // what is about to happen, and why; paragraphs are separated by empty lines
	beats   []beat
}

// beat is one actor doing one thing. What it prints meanwhile follows from what the bus does, and stands nowhere here.
type beat struct {
	who       *part
	direction string // what the actor does, in the words of a stage direction; none for what needs none
	cues      []cue
	hears     int // messages that a listening actor prints, without a cue
}

// part is one of the actors.
type part struct {
	name   string
	colour string // an ANSI colour
	about  string
	bus    int
}

var (
	rosencrantz  = &part{"Rosencrantz", "33", "who asks", 0}
	audience     = &part{"Audience", "36", "which listens", 0}
	guildenstern = &part{"Guildenstern", "32", "who answers, while he can", 0}
	falstaff     = &part{"Falstaff", "35", "who was not invited", 0}
)

// introduction is the piece that explains a bus.
var introduction = piece{
	title: "A PLAY ABOUT A BUS",
	cast:  []*part{rosencrantz, audience, guildenstern, falstaff},
	buses: 1,
	opening: `Five processes, as real as any on this machine. What you will see them print is what the bus told them
just then.`,
	scenes: scenes,
	curtain: `Exeunt. The stage is struck: the daemon is gone, and so is its directory. Your own bus is one command
away: kbusd, then kbus help.`,
}

func (p *part) does(direction string, cues ...cue) beat {
	return beat{who: p, direction: direction, cues: cues}
}

func (p *part) hears(n int) beat { return beat{who: p, direction: "hears", hears: n} }

const (
	speak = "$.Actor.Speak"
	all   = "$.Actor.*"
	ask   = "$.Actor.Ask.Guildenstern"
	toss  = "$.Actor.CoinToss"
)

func opens(p *part) beat {
	return p.does(fmt.Sprintf("opens bus %d for reading and writing", p.bus), cue{Do: openBus})
}

func binds(p *part, name string) beat {
	return p.does("binds "+name, cue{Do: bindListener, Name: name})
}

func bindsAsReplier(p *part, name string) beat {
	return p.does("binds "+name+" as its Replier", cue{Do: bindReplier, Name: name})
}

func unbinds(p *part, name string) beat {
	return p.does("unbinds "+name, cue{Do: unbind, Name: name})
}

func announces(p *part, data string) beat {
	return p.does("announces "+speak+": "+data, cue{Do: announce, Name: speak, Data: data})
}

func requests(p *part, data string) beat {
	return p.does("requests "+ask+": "+data, cue{Do: request, Name: ask, Data: data})
}

func reads(p *part) beat { return p.does("reads", cue{Do: read}) }

func readsAgain(p *part) beat { return p.does("reads again", cue{Do: read}) }

// replies makes a Reply, shows it unsent and sends it.
func replies(p *part, data string) beat {
	return p.does("makes a Reply, and sends it", cue{Do: reply, Data: data}, cue{Do: sendIt})
}

// tosses is a coin toss that gets through, as four beats.
func tosses() []beat {
	return []beat{
		rosencrantz.does("makes a stateful Request of the last Reply, and sends it",
			cue{Do: stateful, Name: toss, Data: "Head"}, cue{Do: sendIt}),
		guildenstern.does("reads, counts and replies", cue{Do: read}, cue{Do: countHeads}, cue{Do: sendIt}),
		reads(rosencrantz),
	}
}
