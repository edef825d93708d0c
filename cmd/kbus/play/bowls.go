package play

// The second piece: two buses and a pair of Limpets between them. kbus play --bowls performs it.

var (
	angelfish = &part{"A", "33", "a goldfish in one bowl, bus 0", 0}
	guppy     = &part{"G", "32", "a goldfish in another, bus 1", 1}
)

const (
	swims    = "$.Fish.Swims"
	fishName = "$.Fish.Name"
	binding  = "$.KBUS.ReplierBindEvent"
)

func receives(p *part) beat { return p.does("waits for a message", cue{Do: receive}) }

// bowls is the piece that explains Limpets. Between the buses things take as long as they take, so an actor that is to
// get something from there waits for it.
var bowls = piece{
	title:  "A PLAY ABOUT TWO BOWLS",
	cast:   []*part{angelfish, guppy},
	buses:  2,
	joined: true,
	opening: `Two buses, which know nothing of each other, and two Limpets that cling to them and hold on to each
other. They would do so between two machines in just the same way.`,
	scenes: []scene{
		{
			"In which a fish is heard through glass",
			`A Limpet is a client of its bus like any other: it was there first, so A and G are not number 1. What it
hears on its own bus it passes on to its pair, and that says it again on the other bus.

See the id that the message has when G reads it: it begins with the network id of A's Limpet, so it differs from all
ids of G's own bus. And it comes from G's Limpet, but orig_from tells who said it first.`,
			[]beat{
				opens(angelfish),
				opens(guppy),
				binds(guppy, swims),
				angelfish.does("announces "+swims, cue{Do: announce, Name: swims, Data: "round and round"}),
				receives(guppy),
			},
		},
		{
			"In which a question crosses over",
			`G will answer for its name. When it binds as Replier on its own bus, A's Limpet binds for the same name on
A's bus: as a proxy. A, which has asked to be told of Repliers, is told, and does not see any difference.

A's Request goes to the proxy, over to the other bus, and to G. The Reply finds its way back, because each Limpet
remembers who has asked.`,
			[]beat{
				binds(angelfish, binding),
				bindsAsReplier(guppy, fishName),
				receives(angelfish),
				angelfish.does("requests "+fishName, cue{Do: request, Name: fishName, Data: "Who are you?"}),
				receives(guppy),
				replies(guppy, "A fish. And you?"),
				receives(angelfish),
			},
		},
		{
			"In which it is asked again, and nobody else",
			`A wants to go on with that very fish. It makes a stateful Request of the Reply: that goes to the Limpet it
came from, and final_to says which Ksock beyond it is meant. Had somebody else become the Replier there, A would be
told so.`,
			[]beat{
				angelfish.does("makes a stateful Request of the last Reply, and sends it",
					cue{Do: stateful, Name: fishName, Data: "A fish, too"}, cue{Do: sendIt}),
				receives(guppy),
				replies(guppy, "How nice"),
				receives(angelfish),
			},
		},
		{
			"In which one bowl is empty",
			`G leaves without a word. Its bus tells its Limpet, which tells A's Limpet, which is a proxy no more. So A
knows, and its next Request would fail on its own bus, at once.`,
			[]beat{
				guppy.does("leaves", cue{Do: closeBus}),
				receives(angelfish),
				angelfish.does("leaves, too", cue{Do: closeBus}),
			},
		},
	},
	curtain: `Exeunt. To join two buses of your own: kbus-limpet help pair. docs/limpets.md tells what is promised.`,
}
