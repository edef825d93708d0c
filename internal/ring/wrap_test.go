package ring

// What is counted comes round: bytes after 4 GiB, messages after 65536. These have the ends of a pipe begin at any place,
// such as just before that. What the segment says is set apart, by whoever made it.

func (w *Writer) startAt(n uint32) { w.tail, w.head = n, n }

func (r *Reader) startAt(n uint32) { r.head = n }
