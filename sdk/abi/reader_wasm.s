#include "go_asm.h"
#include "textflag.h"

// Assembly, because a jump in what the compiler makes of Go for Wasm goes through a
// table of the whole function, and here are little else than jumps. It does what
// message does natively, with all nested messages in one loop.
//
// R0 is the reader, R1 where to read, R2 the end of the message, R3 its fields, R4 how
// many, R5 its struct, R6 the address of its frame and R7 of the outermost
// one, with which the walk begins.

#define LOAD(reg, n) Get reg; I32WrapI64; I64Load n
#define BYTE(reg, n) Get reg; I32WrapI64; I64Load8U n
#define ADD(reg, n) Get reg; I64Const n; I64Add; Set reg

// FRAME loads what R6 says.
#define FRAME \
	LOAD(R6, $frame_end); LOAD(R0, $reader_b); I64Add; Set R2; \
	LOAD(R6, $frame_m); Tee R3; I32WrapI64; I64Load $(message_fields+8); Set R4; \
	LOAD(R3, $message_fields); Set R3; \
	LOAD(R6, $frame_p); Set R5

// NUMBER reads a number at R12, or goes to the end of the block, which stands two deeper
// in its loop.
#define NUMBER(reg, block, deeper) \
	Get R12; Get R2; I64GeU; BrIf block; \
	BYTE(R12, $0); Set reg; ADD(R12, $1); \
	Get reg; I64Const $0x80; I64GeU; If; \
		Get reg; I64Const $0x7f; I64And; Set reg; I64Const $7; Set R15; \
		Loop; \
			Get R12; Get R2; I64GeU; BrIf deeper; \
			BYTE(R12, $0); Tee R14; I64Const $1; I64GtU; Get R15; I64Const $63; I64Eq; I32And; BrIf deeper; \
			Get R14; I64Const $0x7f; I64And; Get R15; I64Shl; Get reg; I64Or; Set reg; \
			ADD(R12, $1); ADD(R15, $7); \
			Get R14; I64Const $0x80; I64GeU; BrIf $0; \
		End; \
	End

// STOP says what is to be done with a field.
#define STOP(need) \
	Get R7; I32WrapI64; I64Const need; I64Store $walk_need; \
	Get R7; I32WrapI64; Get R10; I64Store $walk_field; \
	Get R7; I32WrapI64; Get R11; I64Store $walk_at

// ENTRY counts an entry of the list at R11, the one of index R14, or goes to the end of
// the block.
#define ENTRY(block, outer) \
	LOAD(R11, $slice_n); Tee R14; I64Const $const_MaxItems; I64GeS; BrIf block; \
	LOAD(R0, $reader_room); Tee R15; I64Const $0; I64LeS; BrIf block; \
	Get R14; LOAD(R11, $slice_cap); I64GeS; If; STOP($const_space); Br outer; End; \
	Get R0; I32WrapI64; Get R15; I64Const $1; I64Sub; I64Store $reader_room; \
	Get R11; I32WrapI64; Get R14; I64Const $1; I64Add; I64Store $slice_n

// func read(r *reader, w *walk, m *message, p unsafe.Pointer)
//
// In the loop R8 is the tag, R9 the number or length behind it, R10 the field, R11
// where its value is in the struct, R12 where it is, R13 its kind, and R14 and R15 are
// for what is at hand.
TEXT ·read(SB), NOSPLIT, $0-32
	MOVD r+0(FP), R0
	LOAD(R0, $reader_i); LOAD(R0, $reader_b); I64Add; Set R1
	MOVD w+8(FP), R7
	Get R7; LOAD(R7, $walk_depth); I64Const $frame__size; I64Mul; I64Add; Set R6
	Get R7; I32WrapI64; I64Load m+16(FP); I64Store $frame_m
	Get R7; I32WrapI64; I64Load p+24(FP); I64Store $frame_p
	Get R7; I32WrapI64; LOAD(R0, $(reader_b+8)); I64Store $frame_end
	FRAME
	Get R7; I32WrapI64; I64Const $const_other; I64Store $walk_need

	Block
	Loop
		Get R1; Get R2; I64Eq
		If
			Get R6; Get R7; I64Eq
			If
				Get R7; I32WrapI64; I64Const $const_nothing; I64Store $walk_need
				Br $3
			End
			Get R6; I64Const $frame__size; I64Sub; Set R6
			FRAME
			Br $1
		End

		// A tag and a number, whether the wire type has one or not.
		Get R1; Set R12
		NUMBER(R8, $1, $3)
		Get R8; I64Const $3; I64ShrU; I64Const $1; I64Sub; Tee R10; Get R4; I64GeU; BrIf $1 // not known
		NUMBER(R9, $1, $3)
		Get R10; I64Const $field__size; I64Mul; Get R3; I64Add; Tee R10; I32WrapI64; I64Load $field_at; Get R5; I64Add; Set R11
		BYTE(R10, $field_kind); Set R13

		Get R8; I64Const $7; I64And; I64Const $const_wireBytes; I64Eq
		If
			Get R9; Get R2; Get R12; I64Sub; I64GtU; BrIf $2 // longer than the message
			Get R13; I64Const $const_texts; I64LeU
			If
				// R14 is all bytes of the text in one.
				Get R9; I64Const $8; I64GeU
				If
					Get R12; Get R9; I64Add; I64Const $8; I64Sub; Tee R15; I32WrapI64; I64Load $0; Set R14
					Get R12; Set R4
					Loop
						Get R4; Get R15; I64LtU
						If
							LOAD(R4, $0); Get R14; I64Or; Set R14
							ADD(R4, $8)
							Br $1
						End
					End
					LOAD(R6, $frame_m); I32WrapI64; I64Load $(message_fields+8); Set R4
				Else
					I64Const $0; Set R14
					Get R9; I64Const $4; I64GeU
					If
						Get R12; I32WrapI64; I64Load32U $0
						Get R12; Get R9; I64Add; I32WrapI64; I32Const $4; I32Sub; I64Load32U $0
						I64Or; Set R14
					Else
						Get R9; I64Eqz; I32Eqz
						If
							BYTE(R12, $0)
							Get R12; Get R9; I64Const $1; I64ShrU; I64Add; I32WrapI64; I64Load8U $0; I64Or
							Get R12; Get R9; I64Add; I32WrapI64; I32Const $1; I32Sub; I64Load8U $0; I64Or
							Set R14
						End
					End
				End
				Get R14; I64Const $0x8080808080808080; I64And; I64Eqz; I32Eqz; BrIf $3
				Get R13; I64Const $const_texts; I64Eq
				If
					ENTRY($4, $5)
					LOAD(R11, $slice_p); Get R14; I64Const $16; I64Mul; I64Add; Set R11
				End
				Get R11; I32WrapI64; Get R9; I64Store $8
				Get R11; I32WrapI64; Get R12; I64Const $0; Get R9; I64Eqz; I32Eqz; Select; I64Store $0
				Get R12; Get R9; I64Add; Set R1
				Br $2
			End

			// A message: R11 becomes its struct.
			Get R13; I64Const $const_list; I64Eq
			If
				ENTRY($3, $4)
				LOAD(R10, $field_part); I32WrapI64; I64Load $message_size; Get R14; I64Mul; LOAD(R11, $slice_p); I64Add; Set R11
			Else
				Get R13; I64Const $const_pointer; I64Eq
				If
					LOAD(R11, $0); I64Eqz; If; STOP($const_space); Br $5; End
					LOAD(R11, $0); Set R11
				Else
					Get R13; I64Const $const_nested; I64Sub; I64Const $2; I64GeU; BrIf $4 // nor nested, nor optional
				End
			End
			Get R12; Set R1
			ADD(R6, $frame__size)
			Get R6; I32WrapI64; Get R12; Get R9; I64Add; LOAD(R0, $reader_b); I64Sub; I64Store $frame_end
			Get R6; I32WrapI64; LOAD(R10, $field_part); I64Store $frame_m
			Get R6; I32WrapI64; Get R11; I64Store $frame_p
			FRAME
			Br $1
		End

		Get R8; I64Const $7; I64And; I64Const $const_wireVarint; I64Ne; BrIf $1
		Get R13; I64Const $const_number; I64Eq
		If
			Get R11; I32WrapI64; Get R9; I64Store $0
		Else
			Get R13; I64Const $const_enum; I64Eq
			If
				Get R11; I32WrapI64; Get R9; I64Const $0; Get R9; I64Const $256; I64LtU; Select; I64Store8 $0
			Else
				Get R13; I64Const $const_count; I64Eq; Get R9; I64Const $0x7fffffff; I64LeU; I32And
				If
					Get R11; I32WrapI64; Get R9; I64Store $0
				Else
					Get R12; Set R1
					STOP($const_value)
					Get R7; I32WrapI64; Get R9; I64Store $walk_n
					Br $4
				End
			End
		End
		Get R12; Set R1
		Br $0
	End
	End

	LOAD(R7, $walk_need); I64Const $const_space; I64Eq
	If
		// How many entries follow each other, as far as their lengths have one byte.
		I64Const $0; Set R14
		Get R12; Get R9; I64Add; Set R12
		Block
		Loop
			ADD(R14, $1)
			Get R12; I64Const $1; I64Add; Get R2; I64GeU; BrIf $1
			BYTE(R12, $0); Get R8; I64Ne; BrIf $1
			BYTE(R12, $1); Tee R9; I64Const $0x80; I64GeU; BrIf $1
			Get R12; Get R9; I64Add; I64Const $2; I64Add; Set R12
			Get R14; I64Const $const_MaxItems; I64LtS; BrIf $0
		End
		End
		Get R7; I32WrapI64; Get R14; I64Store $walk_n
	End
	Get R0; I32WrapI64; Get R1; LOAD(R0, $reader_b); I64Sub; I64Store $reader_i
	Get R7; I32WrapI64; Get R6; Get R7; I64Sub; I64Const $frame__size; I64DivU; I64Store $walk_depth
	RET
