package asm

// The opcodes that tests use, by their names in the specification.
const (
	Unreachable    byte = 0x00
	Nop            byte = 0x01
	Block          byte = 0x02
	Loop           byte = 0x03
	If             byte = 0x04
	Else           byte = 0x05
	End            byte = 0x0b
	Br             byte = 0x0c
	BrIf           byte = 0x0d
	BrTable        byte = 0x0e
	Return         byte = 0x0f
	Call           byte = 0x10
	CallIndirect   byte = 0x11
	ReturnCall     byte = 0x12
	ReturnIndirect byte = 0x13
	Drop           byte = 0x1a
	SelectTyped    byte = 0x1c
	LocalGet       byte = 0x20
	LocalSet       byte = 0x21
	LocalTee       byte = 0x22
	GlobalGet      byte = 0x23
	GlobalSet      byte = 0x24
	TableGet       byte = 0x25
	TableSet       byte = 0x26
	I32Load        byte = 0x28
	I64Load        byte = 0x29
	I32Store       byte = 0x36
	MemorySize     byte = 0x3f
	MemoryGrow     byte = 0x40
	I32Const       byte = 0x41
	I64Const       byte = 0x42
	F32Const       byte = 0x43
	F64Const       byte = 0x44
	I32Eqz         byte = 0x45
	I32LtU         byte = 0x49
	I32Add         byte = 0x6a
	I32Sub         byte = 0x6b
	I32Mul         byte = 0x6c
	I32And         byte = 0x71
	I32Xor         byte = 0x73
	I64ExtendU     byte = 0xad
	I32WrapI64     byte = 0xa7
	RefNull        byte = 0xd0
	RefIsNull      byte = 0xd1
	RefFunc        byte = 0xd2
	Bulk           byte = 0xfc // then U of one of the next
)

// What follows [Bulk].
const (
	MemoryInit U = 8
	DataDrop   U = 9
	MemoryCopy U = 10
	MemoryFill U = 11
	TableInit  U = 12
	ElemDrop   U = 13
	TableCopy  U = 14
	TableGrow  U = 15
	TableSize  U = 16
	TableFill  U = 17
)
