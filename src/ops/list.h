/* The list of operators: one line each, SP__OP(name), for a record `const sp_op sp__op_name` in the family's file. */
