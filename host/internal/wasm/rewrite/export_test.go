package rewrite

// Piece is what one instruction moves at most.
const Piece = piece
