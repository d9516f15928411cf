/** stub: replaced by the tool table */
export type ToolName = string;
