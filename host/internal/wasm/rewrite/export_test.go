package rewrite

// Piece is what one instruction moves at most.
const Piece = piece

// Jumps counts the branches of a module that skip a dispatch.
func Jumps(module []byte) (n int, err error) {
	sections, err := split(module)
	if err != nil {
		return 0, err
	}
	p := patch{prefixedOps: prefixedOps()}
	for _, s := range sections {
		if err := p.survey(s); err != nil {
			return 0, err
		}
	}
	for i := range p.functions {
		n += len(p.functions[i].jumps)
	}
	return n, nil
}
