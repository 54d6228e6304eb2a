#include "textflag.h"

// Assembly, because a jump in what the compiler makes of Go for Wasm goes through a
// table of the whole function, and here are little else than jumps. In all functions
// R1 is where to read, and at R8 begin the last eight bytes.

#define ADD(reg, n) Get reg; I64Const n; I64Add; Set reg
#define LOAD Get R1; I32WrapI64; I64Load8U $0; Tee R3

// EQUAL marks the bytes of R3 that are those of c by their highest bit. Bytes above the
// lowest marked one may be marked wrongly, here and in BELOW.
#define EQUAL(c) Get R3; I64Const c; I64Xor; Tee R4; I64Const $0x0101010101010101; I64Sub; Get R4; I64Const $-1; I64Xor; I64And
#define BELOW(c) Get R3; I64Const c; I64Sub; Get R3; I64Const $-1; I64Xor; I64And
#define QUOTE $0x2222222222222222
#define BACKSLASH $0x5c5c5c5c5c5c5c5c
#define MARKS I64Const $0x8080808080808080; I64And; Tee R4

// CLOSE goes to the quote that ends a text. R7 is 1 if there was an escape.
#define CLOSE \
	Block; Loop; \
		Get R1; Get R8; I64LeS; If; \
			Get R1; I32WrapI64; I64Load $0; Set R3; \
			EQUAL(QUOTE); EQUAL(BACKSLASH); I64Or; MARKS; I64Eqz; If; ADD(R1, $8); Br $2; End; \
			Get R1; Get R4; I64Ctz; I64Const $3; I64ShrU; I64Add; Set R1; \
		End; \
		LOAD; I64Const $34; I64Eq; BrIf $1; \
		Get R3; I64Const $92; I64Eq; If; I64Const $1; Set R7; ADD(R1, $1); End; \
		ADD(R1, $1); Br $0; \
	End; End

// func plain(b []byte, i int) int
TEXT ·plain(SB), NOSPLIT, $0-40
	MOVD b_base+0(FP), R0
	Get R0; I64Load b_len+8(FP); I64Add; Tee R2; I64Const $8; I64Sub; Set R8
	Get R0; I64Load i+24(FP); I64Add; Set R1
	Block
	Loop
		Get R1; Get R8; I64LeS
		If
			Get R1; I32WrapI64; I64Load $0; Set R3
			EQUAL(QUOTE); EQUAL(BACKSLASH); I64Or; BELOW($0x2020202020202020); I64Or; Get R3; I64Or; MARKS; I64Eqz
			If
				ADD(R1, $8)
				Br $2
			End
			Get R1; Get R4; I64Ctz; I64Const $3; I64ShrU; I64Add; Set R1
			Br $2
		End
		Get R1; Get R2; I64GeS; BrIf $1
		LOAD; I64Const $34; I64Eq; BrIf $1
		Get R3; I64Const $92; I64Eq; BrIf $1
		Get R3; I64Const $32; I64Sub; I64Const $96; I64GeU; BrIf $1 // no ASCII, or below a space
		ADD(R1, $1)
		Br $0
	End
	End
	Get SP; Get R1; Get R0; I64Sub; I64Store ret+32(FP)
	RET

// func skipText(b []byte, i int) (end int, escaped bool)
TEXT ·skipText(SB), NOSPLIT, $0-41
	MOVD b_base+0(FP), R0
	Get R0; I64Load b_len+8(FP); I64Add; I64Const $8; I64Sub; Set R8
	Get R0; I64Load i+24(FP); I64Add; I64Const $1; I64Add; Set R1
	I64Const $0; Set R7
	CLOSE
	Get SP; Get R1; Get R0; I64Sub; I64Const $1; I64Add; I64Store end+32(FP)
	Get SP; Get R7; I64Store8 escaped+40(FP)
	RET

// func member(object []byte, name string) int
//
// R2 counts the open objects and arrays; in the first a text before a colon is a name.
// R5 is where a text begins and R6 the answer.
TEXT ·member(SB), NOSPLIT, $0-48
	MOVD object_base+0(FP), R0
	Get R0; Tee R1; I64Load object_len+8(FP); I64Add; I64Const $8; I64Sub; Set R8
	I64Const $0; Set R2
	I64Const $0; Set R6
	Block
	Loop
		LOAD; I64Const $34; I64Eq
		If
			ADD(R1, $1)
			Get R1; Set R5
			I64Const $0; Set R7
			CLOSE
			Get R1; Get R5; I64Sub; Set R9
			ADD(R1, $1)
			Get R2; I64Const $1; I64Ne; BrIf $1
			Loop
				LOAD; I64Const $32; I64LeU
				If
					ADD(R1, $1)
					Br $1
				End
			End
			Get R3; I64Const $58; I64Ne; BrIf $1
			Loop
				ADD(R1, $1)
				LOAD; I64Const $32; I64LeU; BrIf $0
			End
			Get R7; I32WrapI64
			If
				I64Const $-1; Set R6
				Br $3
			End
			Get R9; I64Load name_len+32(FP); I64Ne; BrIf $1
			I64Load name_base+24(FP); Set R4
			Loop // from the end, since names often begin alike
				Get R9; I64Eqz
				If
					Get R1; Get R0; I64Sub; Set R6
					Br $4
				End
				ADD(R9, $-1)
				Get R4; Get R9; I64Add; I32WrapI64; I64Load8U $0
				Get R5; Get R9; I64Add; I32WrapI64; I64Load8U $0
				I64Eq; BrIf $0
			End
			Br $1
		End
		ADD(R1, $1)
		Get R3; I64Const $0x20; I64Or; Tee R3; I64Const $123; I64Eq // { or [
		If
			ADD(R2, $1)
			Br $1
		End
		Get R3; I64Const $125; I64Ne; BrIf $0 // } or ]
		ADD(R2, $-1)
		Get R2; I64Eqz; I32Eqz; BrIf $0
	End
	End
	Get SP; Get R6; I64Store ret+40(FP)
	RET
