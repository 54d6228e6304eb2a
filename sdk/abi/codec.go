package abi

// A message has two functions: put writes its fields, set reads one field of it
// and reports whether it knows the number. The helpers here join them to nested,
// repeated and top-level messages.

type (
	putter[T any] func(w *writer, m *T)
	setter[T any] func(m *T, field int, r *reader) bool
)

func encode[T any](b []byte, m *T, put putter[T]) []byte {
	w := writer{b: b}
	put(&w, m)
	return w.b
}

// decode gives no half-read message away: after a mistake it returns the zero one.
func decode[T any](b []byte, set setter[T]) (T, error) {
	var m, none T
	r := reader{b: b, room: MaxEntries}
	read(&r, &m, set)
	if r.err != nil {
		return none, r.err
	}
	return m, nil
}

func read[T any](r *reader, m *T, set setter[T]) {
	for field := r.next(); field != 0; field = r.next() {
		if !set(m, field, r) {
			r.skip()
		}
	}
}

// putSub writes a nested message even when it is empty; callers leave it out.
func putSub[T any](w *writer, field int, m *T, put putter[T]) {
	start := w.begin(field)
	put(w, m)
	w.end(start)
}

func putList[T any](w *writer, field int, list []T, put putter[T]) {
	for i := range list {
		putSub(w, field, &list[i], put)
	}
}

// getSub reads into m what it finds, on top of what is there: protobuf merges a
// nested message that comes twice.
func getSub[T any](r *reader, m *T, set setter[T]) {
	outer := r.open()
	read(r, m, set)
	r.close(outer)
}

// getNew is getSub for a message that may be absent.
func getNew[T any](r *reader, m **T, set setter[T]) {
	if *m == nil {
		*m = new(T)
	}
	getSub(r, *m, set)
}

func getList[T any](r *reader, list []T, set setter[T]) []T {
	if !r.entry(len(list)) {
		return list
	}
	var none T
	list = append(list, none)
	getSub(r, &list[len(list)-1], set)
	return list
}

func putStrings(w *writer, field int, list []string) {
	for _, s := range list {
		w.item(field, s)
	}
}

func getString(r *reader, list []string) []string {
	if !r.entry(len(list)) {
		return list
	}
	return append(list, r.string())
}
