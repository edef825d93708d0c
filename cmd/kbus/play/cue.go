package play

// Director and actors speak in JSON lines. A cue goes to an actor's standard input; back come any number of
// utterances and then one that says that the cue is done. So the director knows when an actor has finished, and no
// two of them ever act at once. An actor that listens may also speak without a cue; when and how often is in the
// script, and the director waits for it.

// verb is what an actor is to do.
type verb string

const (
	openBus      verb = "open"         // opens a Ksock and prints it
	closeBus     verb = "close"        // closes it and prints it
	bindListener verb = "bind"         // Name
	bindReplier  verb = "bind replier" // Name
	unbind       verb = "unbind"       // Name, as Listener
	announce     verb = "announce"     // Name, Data
	request      verb = "request"      // Name, Data
	stateful     verb = "stateful"     // Name, Data: makes a stateful Request of the last Reply, and prints it
	reply        verb = "reply"        // Data: makes a Reply to the last Request, and prints it
	sendIt       verb = "send"         // sends what was made
	sendInVain   verb = "send in vain" // the same, and it must fail; prints why
	read         verb = "read"         // the next message, or that there is none
	receive      verb = "receive"      // waits for the next message, and reads that
	listen       verb = "listen"       // from now on, prints each message as it comes
	wantsUs      verb = "wants us"     // whether the last message wants us to reply
	countHeads   verb = "count heads"  // notes one head more, and makes a Reply of the count
	say          verb = "say"          // Data
)

type cue struct {
	Do   verb   `json:"do"`
	Name string `json:"name,omitempty"`
	Data string `json:"data,omitempty"`
}

type utterance struct {
	Says   string `json:"says,omitempty"`   // a line that the actor prints
	Done   bool   `json:"done,omitempty"`   // the cue has been carried out
	Failed string `json:"failed,omitempty"` // or could not be, and the play is over
}
