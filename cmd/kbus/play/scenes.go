package play

import "slices"

// The play itself: its scenes, what is told at the beginning of each, and what the actors do. Nothing else is in this
// file, so that the play can be read.

var scenes = []scene{
	{
		"In which nobody listens",
		`A bus is a place where processes talk. Whoever opens it gets a Ksock: a seat, with a number. Rosencrantz is
first, so his is number 1.

He clears his throat. That is an Announcement, to whom it may concern. It concerns nobody. The bus gives it an id
and forgets it, and nothing has gone wrong.`,
		[]beat{
			opens(rosencrantz),
			announces(rosencrantz, "Ahem"),
		},
	},
	{
		"In which somebody does",
		`To hear, one binds: "I am a Listener for messages of that name". The Audience sits down, binds, and
Rosencrantz tries again.

A message waits in its Listener's queue until it is read, and is read once. Then the Audience settles down to wait:
from here on it will speak up by itself whenever it hears something.`,
		[]beat{
			opens(audience),
			binds(audience, speak),
			announces(rosencrantz, "Ahem"),
			reads(audience),
			readsAgain(audience),
			audience.does("waits for whatever may come", cue{Do: listen}),
			announces(rosencrantz, "Hello there"),
			audience.hears(1),
			announces(rosencrantz, "Can you hear me?"),
			audience.hears(1),
		},
	},
	{
		"In which somebody whispers, and is heard by all",
		`Guildenstern enters. He wants to hear everything that actors say, so he binds with a wildcard: the star
stands for any words. So does Rosencrantz; and so does the Audience, which keeps its first binding too.

Watch the Audience. Two bindings that match are two copies. (And nobody is deaf to himself.)`,
		[]beat{
			opens(guildenstern),
			binds(guildenstern, all),
			binds(audience, all),
			binds(rosencrantz, all),
			guildenstern.does("announces "+speak+": Pssst!", cue{Do: announce, Name: speak, Data: "Pssst!"}),
			reads(guildenstern),
			reads(rosencrantz),
			audience.hears(2),
			audience.does("unbinds "+speak+", to the letter as it was bound", cue{Do: unbind, Name: speak}),
		},
	},
	{
		"In which a question is asked",
		`A Request is for one: the Replier of that name. There can be any number of Listeners, but only one Replier,
so everybody knows who has to answer. Guildenstern takes the part of answering for himself.

He gets the question twice: once as Replier, once because he listens to everything. Only the first says YOU.
Rosencrantz overhears himself asking, and both decide that they have heard enough of everything.`,
		[]beat{
			bindsAsReplier(guildenstern, ask),
			requests(rosencrantz, "Were you speaking to me?"),
			reads(rosencrantz),
			unbinds(rosencrantz, all),
			guildenstern.does("reads", cue{Do: read}, cue{Do: wantsUs}),
			readsAgain(guildenstern),
			unbinds(guildenstern, all),
		},
	},
	{
		"In which it is answered",
		`A Reply goes to whoever asked, bound or not: the one who asks is always told, by the Replier or, should
that one die, by the bus. Guildenstern makes his Reply from the Request, so it knows where to go. Before it is sent
it has no id and no sender; the bus fills these in.`,
		[]beat{
			replies(guildenstern, "Yes, yes I was"),
			reads(rosencrantz),
			audience.hears(2),
		},
	},
	{
		"In which heads are counted",
		`Guildenstern agrees to count heads. A count is something to remember, so Rosencrantz must talk to the very
one who remembers. He makes his next Request from the Reply that he got; it says "to=3", and only Ksock 3 will do.
That is a stateful Request.

The coin is an odd one.`,
		slices.Concat(
			[]beat{
				requests(rosencrantz, "Will you count heads for me?"),
				reads(guildenstern),
				replies(guildenstern, "Yes, yes I shall"),
				bindsAsReplier(guildenstern, toss),
				reads(rosencrantz),
			},
			tosses(),
			tosses(),
		),
	},
	{
		"In which the wrong man is on stage",
		`Enter Falstaff, who pushes Guildenstern off the stage, takes seat 4 and declares himself Replier for coins.
Would he answer the next toss? He would, gladly, and begin counting at one.

So the bus does not let him. The toss is for Ksock 3, Ksock 3 is gone, and Rosencrantz is told at once: what was
being remembered is lost. No id, no silence, no wrong answer.`,
		[]beat{
			guildenstern.does("is pushed off the stage, and closes his Ksock", cue{Do: closeBus}),
			opens(falstaff),
			bindsAsReplier(falstaff, toss),
			rosencrantz.does("makes the next toss, and sends it to Guildenstern still",
				cue{Do: stateful, Name: toss, Data: "Head"}, cue{Do: sendInVain}),
		},
	},
	{
		"In which everybody leaves",
		`And the Audience? It has been listening all the while. Here is what it heard, in the one order that
everybody on a bus hears. The toss that failed is not there: it was never sent.`,
		[]beat{
			audience.hears(6),
			rosencrantz.does("looks whether anything is left", cue{Do: read}),
			falstaff.does("looks, too", cue{Do: read}),
			rosencrantz.does("leaves", cue{Do: closeBus}),
			audience.does("leaves", cue{Do: closeBus}),
			falstaff.does("leaves, last, through the wrong door", cue{Do: closeBus}),
		},
	},
}
